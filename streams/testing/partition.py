"""One partition of the in-memory log, and the transactions its entries belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from streams.ports.records import Committed, Outgoing, Record, TopicPartition


class State(Enum):
    """How far a transaction is."""

    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(eq=False, slots=True)
class Transaction:
    """Entries and group positions that become visible together or not at all."""

    state: State = State.OPEN
    positions: dict[tuple[str, TopicPartition], Committed] = field(default_factory=dict)
    logs: dict[PartitionLog, None] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def end(self, state: State) -> None:
        """Commit or abort: from here on its entries are visible, or never are."""
        self.state = state
        for log in self.logs:
            log.mark(self)


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record | None  # None: a transaction marker, which takes an offset as in Kafka
    transaction: Transaction | None

    @property
    def is_aborted(self) -> bool:
        return self.transaction is not None and self.transaction.state is State.ABORTED


class PartitionLog:
    """Entries of one partition in offset order. The caller holds the log's lock."""

    def __init__(self, source: TopicPartition) -> None:
        self.source = source
        self.start = 0
        self._entries: list[_Entry] = []
        self._open: dict[Transaction, int] = {}

    @property
    def end(self) -> int:
        """The offset of the next entry."""
        return self.start + len(self._entries)

    @property
    def stable_end(self) -> int:
        """Where readers of committed records stop: at the first entry of an open transaction."""
        return min(self._open.values(), default=self.end)

    def append(
        self, outgoing: Outgoing, timestamp_ms: int, transaction: Transaction | None = None
    ) -> Record:
        """Add a record; one of a transaction stays invisible until that is committed."""
        record = Record(
            *self.source,
            self.end,
            outgoing.key,
            outgoing.value,
            _frozen(outgoing.headers),
            timestamp_ms,
        )
        if transaction is not None:
            self._open.setdefault(transaction, self.end)
            transaction.logs[self] = None
            transaction.records.append(record)
        self._entries.append(_Entry(record, transaction))
        return record

    def mark(self, transaction: Transaction) -> None:
        """Write the marker that ends a transaction here."""
        del self._open[transaction]
        self._entries.append(_Entry(None, transaction))

    def records(self, offset: int, *, committed: bool = True) -> Iterator[Record]:
        """Records from `offset` on that readers see; not committed = open and aborted ones too."""
        end = self.stable_end if committed else self.end
        for index in range(max(0, offset - self.start), end - self.start):
            entry = self._entries[index]
            if entry.record is not None and not (committed and entry.is_aborted):
                yield entry.record

    def holds(self, offset: int) -> bool:
        """Whether a reader can stand at `offset`."""
        return self.start <= offset <= self.end

    def delete_before(self, offset: int) -> None:
        """Drop the entries below `offset`, as retention does."""
        start = min(max(self.start, offset), self.end)
        del self._entries[: start - self.start]
        self.start = start


def _frozen(headers: Sequence[tuple[str, bytes]]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value) for name, value in headers)
