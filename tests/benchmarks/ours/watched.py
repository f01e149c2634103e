"""A log that tells when the worker polls and when a transaction is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.clock import Deadline
from streams.kafka.connection import KafkaLog
from streams.ports.records import Polled


class WatchedLog:
    """A Kafka log; `on_poll` gets None before each poll and its records after it."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self.on_poll: Callable[[Polled | None], None] = lambda _polled: None
        self.on_commit: Callable[[], None] = lambda: None

    def consumer(self, group: str) -> Any:
        return _Consumer(self._log.consumer(group), self)

    def transactions(self, transactional_id: str, deadline: Deadline) -> Any:
        return _Transactions(self._log.transactions(transactional_id, deadline), self)

    def reader(self) -> Any:
        return self._log.reader()

    def admin(self) -> Any:
        return self._log.admin()


class _Wrapped:
    def __init__(self, inner: Any, log: WatchedLog) -> None:
        self._inner = inner
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Consumer(_Wrapped):
    def poll(self, max_records: int, timeout_s: float) -> Polled:
        self._log.on_poll(None)
        polled = self._inner.poll(max_records, timeout_s)
        self._log.on_poll(polled)
        return polled


class _Transactions(_Wrapped):
    def commit(self, *arguments: Any) -> None:
        self._inner.commit(*arguments)
        self._log.on_commit()
