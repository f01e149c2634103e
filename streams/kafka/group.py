"""Whether a group has members, seen from outside."""

from __future__ import annotations

import warnings

from confluent_kafka.admin import AdminClient

from streams.kafka.client import new_client
from streams.kafka.config import base_config
from streams.settings import KafkaSettings

_TIMEOUT_S = 5.0


def has_members(settings: KafkaSettings, physical_group: str) -> bool:
    """Whether a group of the classic protocol has members; KafkaException when no broker tells.

    The broker itself keeps strangers out of a KIP-848 group, which counts as empty here. The call
    is deprecated, and used because its successors can abort the process: see `positions.py`.
    """
    client = new_client(AdminClient, base_config(settings))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = client.list_groups(physical_group, timeout=_TIMEOUT_S)
    return any(group.members for group in found)
