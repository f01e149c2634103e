"""How fast this machine produces to a cluster and consumes from it, on a topic made for that."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final, Self

from confluent_kafka import Consumer, Message, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from streams.clock import Deadline, monotonic_s
from streams.errors import BrokerUnavailable
from streams.kafka.admin import KafkaAdmin
from streams.kafka.client import new_client
from streams.kafka.config import READING, admin_config, base_config, physical
from streams.settings import KafkaSettings

PARTITIONS: Final = 4
_TIMEOUT_S: Final = 60.0
_AT_ONCE: Final = 20_000
_KEYS: Final = 1_000


class SpeedTopic:
    """A topic for one measurement; leaving the `with` block deletes it.

    Raises BrokerUnavailable when a step takes over a minute.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._name = f"streams.speed-{secrets.token_hex(4)}"
        self._topic = physical(settings, self._name)

    def __enter__(self) -> Self:
        admin = KafkaAdmin(self._settings)
        try:
            admin.create_topic(self._name, PARTITIONS, {"retention.ms": "3600000"})
        finally:
            admin.close()
        return self

    def __exit__(self, *_raised: object) -> None:
        client = new_client(AdminClient, admin_config(self._settings))
        client.delete_topics([self._topic])[self._topic].result(_TIMEOUT_S)

    def produce(self, values: Sequence[bytes]) -> float:
        """Seconds until all values are acknowledged by an idempotent producer."""
        producer = new_client(Producer, _producer_config(self._settings))
        deadline, started_s = Deadline.after(_TIMEOUT_S), monotonic_s()
        for at, value in enumerate(values):
            key = b"%d" % (at % _KEYS)
            while True:
                try:
                    producer.produce(self._topic, value, key)
                    break
                except BufferError:
                    producer.poll(0.05)
                    self._check(deadline, "produce")
        producer.flush(deadline.left_s)
        self._check(deadline, "produce")
        return monotonic_s() - started_s

    def consume(self, count: int) -> tuple[float, list[list[bytes]]]:
        """Seconds from the first record to the last, and the values in the batches they came in."""
        consumer = new_client(Consumer, _consumer_config(self._settings))
        consumer.assign([Place(self._topic, at, 0) for at in range(PARTITIONS)])
        deadline, started_s = Deadline.after(_TIMEOUT_S), 0.0
        batches: list[list[Message]] = []
        try:
            while count > 0:
                messages = consumer.consume(_AT_ONCE, 0.5)
                if messages:
                    started_s = started_s or monotonic_s()
                    batches.append(messages)
                    count -= len(messages)
                self._check(deadline, "consume")
            took_s = monotonic_s() - started_s
        finally:
            consumer.close()
        return took_s, [[message.value() or b"" for message in batch] for batch in batches]

    def _check(self, deadline: Deadline, doing: str) -> None:
        if deadline.is_over:
            raise BrokerUnavailable(
                f"cannot {doing} the records of a speed test within {_TIMEOUT_S:g} s"
            )


def _producer_config(settings: KafkaSettings) -> dict[str, Any]:
    tuning = {"linger.ms": 5, "compression.type": "lz4", "batch.size": 1_000_000}
    return tuning | base_config(settings) | {"enable.idempotence": True}


def _consumer_config(settings: KafkaSettings) -> dict[str, Any]:
    must = {
        "group.id": physical(settings, "millrace-speed"),
        **READING,
        "enable.partition.eof": False,  # it counts what it gets
    }
    return {"queued.min.messages": 200_000, "fetch.wait.max.ms": 50} | base_config(settings) | must
