"""The newest value of each key of a compacted topic, read as far as is asked, kept as bytes.

Reads committed records only. A transaction's commit returns before its markers are in every
partition, so whoever has just committed may find the read-committed end still behind. Therefore
each read takes the *uncommitted* end first and waits until the committed one has passed it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from streams.clock import Deadline, monotonic_s
from streams.ports.log import LogAdmin, LogReader
from streams.ports.records import Record, TopicPartition

OPEN_TRANSACTION_WAIT_S: Final = 2.0
"""How long a read waits for transactions that were open when it began; they last milliseconds,
unless their producer died, and then nothing of theirs will ever count."""

FRESH_S: Final = 3_600.0
"""A copy not read for this long starts over: tombstones it has not seen may be compacted away
(`delete.retention.ms`, a day by default)."""

_REPORT_EVERY: Final = 10_000

Progress = Callable[[int, int], None]
"""Told now and then: records read so far, and about how many there are."""


def unheard(_read: int, _total: int) -> None:
    """Progress that nobody watches."""


class Latest(NamedTuple):
    """A key's newest value and its offset."""

    value: bytes
    offset: int


@dataclass(slots=True)
class _Copy:
    """One partition as far as it was read."""

    position: int = 0
    read_at_s: float = field(default_factory=monotonic_s)
    values: dict[bytes, Latest] = field(default_factory=dict)


class LatestValues:
    """Copies of a topic's partitions that catch up when read. One thread owns it."""

    def __init__(self, topic: str, reader: LogReader, admin: LogAdmin) -> None:
        self._topic = topic
        self._reader = reader
        self._admin = admin
        self._copies: dict[int, _Copy] = {}

    def get(self, partition: int, key: bytes) -> Latest | None:
        """The newest value of a key, as committed when this is called; None without one."""
        self.catch_up((partition,))
        return self._copies[partition].values.get(key)

    def items(
        self, partitions: Collection[int], on_progress: Progress = unheard
    ) -> Iterator[tuple[int, bytes, Latest]]:
        """Partition, key and newest value of every key that has one, as committed at the call."""
        self.catch_up(partitions, on_progress)
        return (
            (partition, key, latest)
            for partition in partitions
            for key, latest in list(self._copies[partition].values.items())
        )

    def catch_up(self, partitions: Collection[int], on_progress: Progress = unheard) -> None:
        """Read to the ends as they are now."""
        ends = self._ends([TopicPartition(self._topic, one) for one in partitions])
        starts = {}
        for place, end in ends.items():
            copy = self._copies[place.partition] = self._usable(place.partition, end)
            if copy.position < end:
                starts[place] = copy.position
        total = sum(ends[place] - start for place, start in starts.items())
        self._read(starts, lambda count: on_progress(count, total))
        for place, end in ends.items():
            copy = self._copies[place.partition]
            copy.position, copy.read_at_s = max(copy.position, end), monotonic_s()

    def _ends(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Read-committed ends that hold all that was written when this was called."""
        written = self._admin.ends(places, committed=False)
        deadline = Deadline.after(OPEN_TRANSACTION_WAIT_S)
        while True:
            stable = self._admin.ends(places)
            if deadline.is_over or all(stable[place] >= written[place] for place in places):
                return stable

    def _usable(self, partition: int, end: int) -> _Copy:
        """The copy held so far, unless it is of a topic made anew or too old to be trusted."""
        copy = self._copies.get(partition)
        if copy is None or copy.position > end or monotonic_s() - copy.read_at_s > FRESH_S:
            return _Copy()
        return copy

    def _read(self, starts: Mapping[TopicPartition, int], on_count: Callable[[int], None]) -> None:
        if not starts:
            return
        count = 0
        for count, record in enumerate(self._reader.read(starts), start=1):
            self._keep(record)
            if count % _REPORT_EVERY == 0:
                on_count(count)
        on_count(count)

    def _keep(self, record: Record) -> None:
        copy = self._copies[record.partition]
        copy.position = record.offset + 1
        key = record.key or b""
        if record.value is None:
            copy.values.pop(key, None)
        else:
            copy.values[key] = Latest(record.value, record.offset)
