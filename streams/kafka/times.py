"""From a time to offsets: where each partition stood then."""

from __future__ import annotations

from collections.abc import Collection

from confluent_kafka import KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # no __all__

from streams.kafka import faults
from streams.kafka.client import new_client
from streams.kafka.config import admin_config, logical, physical
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings

_TIMEOUT_S = 10.0


def offsets_at(
    settings: KafkaSettings, partitions: Collection[TopicPartition], timestamp_ms: int
) -> dict[TopicPartition, int]:
    """The first offset at or after a time; a partition with none that late is absent."""
    spec = OffsetSpec.for_timestamp(timestamp_ms)
    asked = {Place(physical(settings, one.topic), one.partition): spec for one in partitions}
    client = new_client(AdminClient, admin_config(settings))
    found = {}
    for place, future in client.list_offsets(asked, request_timeout=_TIMEOUT_S).items():
        try:
            offset = future.result(_TIMEOUT_S + 5).offset
        except KafkaException as exc:
            doing = f"find a time in {place.topic}"
            raise faults.translated(faults.error_of(exc), doing, settings) from exc
        if offset >= 0:
            found[TopicPartition(logical(settings, place.topic), place.partition)] = offset
    return found
