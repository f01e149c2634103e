"""Whether a group has members, seen from outside."""

from __future__ import annotations

from typing import Final

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.clock import Deadline
from streams.kafka import faults
from streams.kafka.config import base_config
from streams.settings import KafkaSettings

_TIMEOUT_S = 5.0
_EMPTY: Final = frozenset({ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD})


def has_members(settings: KafkaSettings, physical_group: str) -> bool:
    """Whether the group has members; KafkaException when no broker tells."""
    client, deadline = AdminClient(base_config(settings)), Deadline.after(_TIMEOUT_S)
    while True:
        futures = client.describe_consumer_groups([physical_group], request_timeout=_TIMEOUT_S)
        try:
            return futures[physical_group].result().state not in _EMPTY
        except KafkaException as exc:
            code = faults.error_of(exc).code()
            if code == KafkaError.GROUP_ID_NOT_FOUND:
                return False
            if deadline.is_over or code not in faults.COORDINATOR_MOVING:
                raise
