"""A run of records of one partition, for tests that need no client."""

from __future__ import annotations

from collections.abc import Sequence

from streams.ports.records import Record, TopicPartition


class RecordBatch:
    """Implements the `Batch` port over records that are already there."""

    __slots__ = ("_records", "source")

    def __init__(self, records: Sequence[Record]) -> None:
        self.source = TopicPartition(records[0].topic, records[0].partition)
        self._records = records

    @property
    def offsets(self) -> Sequence[int]:
        """Strictly increasing offsets; may have gaps (transaction markers)."""
        return [record.offset for record in self._records]

    @property
    def values(self) -> Sequence[bytes | None]:
        """Payloads, one an offset."""
        return [record.value for record in self._records]

    def record(self, index: int) -> Record:
        """The whole record at `index`."""
        return self._records[index]
