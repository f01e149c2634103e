"""Emits at a steady rate and watches for each event's result.

Options: bootstrap, namespace, events, rate, warm_up_s. Prints milliseconds from emit to result,
one an event in the order of emitting, null where none came.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from itertools import count
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from schemas.social import PhotoLiked
from streams import EventClient
from streams.clock import Deadline, monotonic_s
from streams.settings import KafkaSettings

_PARTITIONS = 4
_PATIENCE_S = 20


def main() -> None:
    """Emit one photo an event; the results topic's key is the photo."""
    options = json.loads(sys.argv[1])
    events = options["events"]
    tap = _Tap(options)
    tap.start()
    emitted_s = _emit(options, events, tap)
    tap.finish()
    took = [
        (tap.seen_s[at] - emitted_s[at]) * 1_000 if at in tap.seen_s else None
        for at in range(events)
    ]
    print(json.dumps(took))


def _emit(options: Mapping[str, Any], events: int, tap: _Tap) -> list[float]:
    """When each event was emitted, in seconds of the monotonic clock.

    Other photos come first, at the same rate, until their results have come for `warm_up_s`.
    """
    kafka = KafkaSettings(bootstrap_servers=options["bootstrap"], namespace=options["namespace"])
    with EventClient(kafka) as client:
        client.ready(PhotoLiked)
        pace = _Pace(client, options["rate"])
        warm = Deadline.after(_PATIENCE_S)
        for photo_id in count(events):
            pace.emit(photo_id)
            if not tap.has_seen.is_set():
                warm = Deadline.after(options["warm_up_s"])
            elif warm.is_over:
                break
        return [pace.emit(photo_id) for photo_id in range(events)]


class _Pace:
    """Emits one like each time its turn comes; behind schedule at once."""

    def __init__(self, client: EventClient, rate: int) -> None:
        self._client = client
        self._interval_s = 1 / rate
        self._due_s = monotonic_s()
        self._pause = threading.Event()

    def emit(self, photo_id: int) -> float:
        """When it was emitted."""
        early_s = self._due_s - monotonic_s()
        if early_s > 0:
            self._pause.wait(early_s)
        self._due_s += self._interval_s
        at_s = monotonic_s()
        self._client.emit(PhotoLiked(user_id=1, photo_id=photo_id, owner_id=1))
        return at_s


class _Tap(threading.Thread):
    """Reads committed results; `seen_s` says when each photo's first one arrived."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(name="tap", daemon=True)
        self.seen_s: dict[int, float] = {}
        self.has_seen = threading.Event()
        self._left = options["events"]
        self._deadline: Deadline | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": options["bootstrap"],
                "group.id": "tap",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        topic = options["namespace"] + "demo.counts"
        self._consumer.assign([TopicPartition(topic, at, 0) for at in range(_PARTITIONS)])

    def run(self) -> None:
        """Read until every photo was seen, or patience after the last emit is over."""
        measured = range(self._left)
        while self._left and not self._is_over():
            for message in self._consumer.consume(1_000, 0.01):
                self._see(int(message.key()), measured, monotonic_s())
        self._consumer.close()

    def finish(self) -> None:
        """Wait for the last results."""
        self._deadline = Deadline.after(_PATIENCE_S)
        self.join()

    def _see(self, photo_id: int, measured: range, at_s: float) -> None:
        self.has_seen.set()
        if photo_id in measured and photo_id not in self.seen_s:
            self.seen_s[photo_id] = at_s
            self._left -= 1

    def _is_over(self) -> bool:
        return self._deadline is not None and self._deadline.is_over


if __name__ == "__main__":
    main()
