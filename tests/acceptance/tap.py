"""A live reader of what workers write, open transactions included: it sees when to strike."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from confluent_kafka import OFFSET_END, Consumer
from confluent_kafka import TopicPartition as Place

from streams.settings import KafkaSettings

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record that a worker has just written. `source` is the input it was made of."""

    topic: str
    partition: int
    offset: int
    source: str


class Tap:
    """Reads topics from their ends in a thread; `strike` is called there with each new record.

    `arm` makes it strike at the next record; it then rests until it is armed again.
    """

    def __init__(self, kafka: KafkaSettings, topics: Collection[str], partitions: int) -> None:
        self._namespace = kafka.namespace
        self._client = Consumer(
            {
                "bootstrap.servers": kafka.bootstrap_servers,
                "group.id": f"{kafka.namespace}tap",
                "isolation.level": "read_uncommitted",
                "enable.auto.commit": False,
                "fetch.queue.backoff.ms": 1,
                "fetch.error.backoff.ms": 1,
                "log_level": 2,
            }
        )
        self._client.assign(
            [
                Place(kafka.namespace + topic, at, OFFSET_END)
                for topic in topics
                for at in range(partitions)
            ]
        )
        self._strike = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def arm(self, strike) -> None:
        """Call `strike(sighting)` at the next record; it returns whether it struck."""
        self._strike = strike

    def _run(self) -> None:
        while not self._stopping.is_set():
            message = self._client.poll(_POLL_S)
            strike = self._strike
            if message is None or message.error() or strike is None:
                continue
            source = dict(message.headers() or ()).get("source", b"").decode()
            topic = message.topic().removeprefix(self._namespace)
            if strike(Sighting(topic, message.partition(), message.offset(), source)):
                self._strike = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._client.close()
