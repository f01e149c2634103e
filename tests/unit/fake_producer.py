"""An in-memory twin of the producer port: the test decides when and how deliveries end."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, NamedTuple

from streams.errors import BrokerUnavailable, ClientClosed, DeliveryFailed
from streams.ports.records import Outgoing


class Place(NamedTuple):
    at: tuple[int, int]

    def partition(self) -> int:
        return self.at[0]

    def offset(self) -> int:
        return self.at[1]

    def latency(self) -> float:
        return 0.25


class FakeProducer:
    """Records wait until `deliver` or `fail`; `poll` serves the reports, as on Kafka."""

    def __init__(self, *, room: int = 1_000, delivers: bool = False) -> None:
        self.room = room
        self.delivers = delivers
        self.waiting: deque[tuple[Outgoing, Any]] = deque()
        self.sent: list[Outgoing] = []
        self.reports: deque[tuple[Any, Any, Place]] = deque()
        self._reported = threading.Semaphore(0)
        self.failure = ""
        self.is_abandoned = False
        self.was_reached = True

    def sender(self, topic: str) -> Any:
        def send(value, key, partition, on_delivery, headers=None):
            if self.failure:
                raise ClientClosed(self.failure)
            if self.queued >= self.room:
                raise BufferError("queue full")
            self.waiting.append(
                (Outgoing(topic, key, value, headers or (), partition), on_delivery)
            )
            if self.delivers:
                self.deliver()

        return send

    def deliver(self, count: int | None = None) -> None:
        for _ in range(len(self.waiting) if count is None else count):
            record, on_delivery = self.waiting.popleft()
            self.sent.append(record)
            self._report(on_delivery, None, len(self.sent) - 1)

    def fail(self, error: str = "refused") -> None:
        while self.waiting:
            self._report(self.waiting.popleft()[1], error, -1)

    def _report(self, on_delivery: Any, error: Any, offset: int) -> None:
        self.reports.append((on_delivery, error, Place((0, offset))))
        self._reported.release()

    def poll(self, timeout_s: float) -> int:
        served = 0
        while self._reported.acquire(timeout=0 if served else timeout_s):
            on_delivery, error, place = self.reports.popleft()
            on_delivery(error, place)
            served += 1
        return served

    def flush(self, timeout_s: float) -> int:
        self.poll(timeout_s if self.queued else 0)
        return self.queued

    def explain(self, error: Any, topic: str) -> Any:
        if error == "absent":
            return BrokerUnavailable(f"{topic}: no broker")
        return DeliveryFailed(f"{topic}: {error}", is_unknown=error == "purged")

    def overdue(self, topic: str) -> Any:
        return DeliveryFailed(f"{topic}: overdue", is_unknown=True)

    @property
    def queued(self) -> int:
        return len(self.waiting) + len(self.reports)

    def partitions(self, timeout_s: float) -> dict[str, int]:
        return {"social.photos": 4}

    def discard(self) -> None:
        self.fail("purged")
        self.poll(0)

    def abandon(self) -> None:
        self.is_abandoned = True
