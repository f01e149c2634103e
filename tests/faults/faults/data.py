"""Harm through what is in the log: records that no schema explains."""

from __future__ import annotations

from collections import Counter

from confluent_kafka import Producer

from streams.kafka.config import base_config, physical
from tests.faults.hostile import hostile
from tests.faults.scene import Scene

_FLUSH_S = 30.0
_MESSAGE_BYTES = 2_000_000
_KEYS = 50


class HostileRecords:
    """Somebody writes records that no schema explains, some made to hurt, among all others.

    The checker wants each in quarantine once. `sent` counts them by the reason that must be there.
    """

    name = "hostile-records"
    hold_s = 0.0

    def __init__(self, rounds: int = 1) -> None:
        self.sent: Counter[str] = Counter()
        self._rounds = rounds

    def inject(self, scene: Scene) -> None:
        producer = Producer(
            base_config(scene.kafka)
            | {"partitioner": "murmur2_random", "message.max.bytes": _MESSAGE_BYTES}
        )
        for _ in range(self._rounds):
            for bad in hostile(scene.random).values():
                key = str(scene.random.randrange(_KEYS)).encode()
                producer.produce(physical(scene.kafka, bad.topic), bad.value, key)
                self.sent[str(bad.reason)] += 1
        unsent = producer.flush(_FLUSH_S)
        assert not unsent, f"{unsent} hostile records found no broker"
        scene.timeline.note("hostile", sent=self.sent.total())

    def heal(self, scene: Scene) -> None:
        """What is in the log stays there."""
