"""Refuses topics and partitions that do not exist, before the client waits for them."""

from __future__ import annotations

from collections.abc import Collection

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient

from streams.errors import NotFound
from streams.kafka import faults
from streams.kafka.config import physical
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings

MISSING = "{}: no such topic or partition; `streams topics list` shows what exists"


def check_exist(
    client: Consumer | AdminClient,
    settings: KafkaSettings,
    partitions: Collection[TopicPartition],
    *,
    timeout_s: float,
) -> None:
    """NotFound for a partition that is not there; BrokerUnavailable when no broker tells.

    It also makes the client learn the leaders, without which one request in five of a new client
    takes 3 s (librdkafka 2.16.0).
    """
    found = {topic: _numbers(client, settings, topic, timeout_s) for topic, _ in partitions}
    for partition in partitions:
        if partition.partition not in found[partition.topic]:
            raise NotFound(MISSING.format(partition))


def _numbers(
    client: Consumer | AdminClient, settings: KafkaSettings, topic: str, timeout_s: float
) -> set[int]:
    name = physical(settings, topic)
    try:
        return set(client.list_topics(name, timeout=timeout_s).topics[name].partitions)
    except KafkaException as exc:
        raise faults.translated(faults.error_of(exc), f"describe {topic}", settings) from exc
