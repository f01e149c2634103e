"""Plain values that cross the ports: what is read, what is written, where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    """One partition of a topic; sorts by topic, then number."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Position(NamedTuple):
    """Where a record stands in the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in the log. `timestamp_ms` is the broker's or producer's, UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int = 0

    @property
    def source(self) -> str:
        """`topic/partition/offset`, the form of the `source` header."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Batch(Protocol):
    """A run of records of one partition, in offset order, kept as columns."""

    @property
    def source(self) -> TopicPartition:
        """The partition all records are from."""

    @property
    def offsets(self) -> Sequence[int]:
        """Strictly increasing offsets; may have gaps (transaction markers)."""

    @property
    def values(self) -> Sequence[bytes | None]:
        """Payloads, one an offset."""

    def record(self, index: int) -> Record:
        """The whole record at `index`: key, headers and timestamp are read only here."""


class Polled(NamedTuple):
    """What one poll brought: batches in the order they came, and partitions at their end.

    `ends` maps a partition to its position past the last record and any transaction marker.
    """

    batches: list[Batch]
    ends: dict[TopicPartition, int]


class Outgoing(NamedTuple):
    """A record to be written. `partition` None = by murmur2 of the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


class Committed(NamedTuple):
    """A committed position: the next offset to read, and the text kept beside it."""

    offset: int
    metadata: str = ""
