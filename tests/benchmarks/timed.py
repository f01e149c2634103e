"""A log that notes when records come and when transactions are committed."""

from __future__ import annotations

from typing import Any

from streams.clock import Deadline, monotonic_s
from streams.kafka.connection import KafkaLog
from streams.ports.records import Polled


class TimedLog:
    """A Kafka log with a stopwatch around the worker's consumer and producer.

    The clock starts when the first records arrive and is read each time the worker asks for more
    (everything before is folded) and after each commit. `finished` is called at those moments.
    """

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self.started_s = 0.0
        self.folded_s = 0.0
        self.committed_s = 0.0
        self.records = 0
        self.finished: Any = lambda _log: None

    def consumer(self, group: str) -> Any:
        return _TimedConsumer(self._log.consumer(group), self)

    def transactions(self, transactional_id: str, deadline: Deadline) -> Any:
        return _TimedProducer(self._log.transactions(transactional_id, deadline), self)

    def reader(self) -> Any:
        return self._log.reader()

    def admin(self) -> Any:
        return self._log.admin()


class _Wrapped:
    def __init__(self, inner: Any, timed: TimedLog) -> None:
        self._inner = inner
        self._timed = timed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _TimedConsumer(_Wrapped):
    def poll(self, max_records: int, timeout_s: float) -> Polled:
        timed = self._timed
        timed.folded_s = monotonic_s()
        timed.finished(timed)
        polled = self._inner.poll(max_records, timeout_s)
        if polled.batches:
            timed.started_s = timed.started_s or monotonic_s()
            timed.records += sum(len(batch.offsets) for batch in polled.batches)
        return polled


class _TimedProducer(_Wrapped):
    def commit(self, *arguments: Any) -> None:
        self._inner.commit(*arguments)
        self._timed.committed_s = monotonic_s()
