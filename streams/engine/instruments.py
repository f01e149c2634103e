"""A worker's metrics with the service's name filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streams import metrics
from streams.ports.records import TopicPartition


class Instruments:
    """Counts what one worker does. Owned by the worker's thread."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._commits = metrics.COMMITS.labels(service)
        self._commit_seconds = metrics.COMMIT_SECONDS.labels(service)
        self._failed = metrics.TRANSACTIONS_FAILED.labels(service)
        self._restores = metrics.RESTORES.labels(service)
        self._restored = metrics.RESTORED.labels(service)
        self._entries = metrics.CACHE_ENTRIES.labels(service)

    def read(self, topic: str, records: int) -> None:
        """Records were taken from the log."""
        metrics.RECORDS.labels(self._service, topic).inc(records)

    def restored(self, records: int) -> None:
        """Records were folded silently."""
        self._restored.inc(records)

    def counted(self, events: Mapping[str, int], quarantined: Iterable[str]) -> None:
        """Events were folded live, by fold; records were quarantined, each for a reason."""
        for fold, count in events.items():
            metrics.EVENTS.labels(self._service, fold).inc(count)
        for reason in quarantined:
            metrics.QUARANTINED.labels(self._service, reason).inc()

    def committed(self, seconds: float) -> None:
        """A transaction was committed."""
        self._commits.inc()
        self._commit_seconds.observe(seconds)

    def transaction_failed(self) -> None:
        """A transaction failed or its outcome was unknown."""
        self._failed.inc()

    def opened(self) -> None:
        """A partition was opened."""
        self._restores.inc()

    def released(self, source: TopicPartition) -> None:
        """A partition is no longer ours."""
        metrics.released(self._service, source.topic, source.partition)

    def checkpointed(self, source: TopicPartition, size_bytes: int) -> None:
        """A checkpoint was written."""
        metrics.checkpointed(self._service, source.topic, source.partition, size_bytes=size_bytes)

    def cached(self, entries: int) -> None:
        """States are in memory."""
        self._entries.set(entries)

    def parked(self, fold: str) -> None:
        """A key was parked."""
        metrics.PARKED.labels(self._service, fold).inc()
