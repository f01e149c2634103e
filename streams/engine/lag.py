"""How far a service is behind: its committed positions against the read-committed ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from streams.clock import now_us
from streams.ports.log import LogAdmin, LogReader
from streams.ports.records import TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionLag:
    """One input partition.

    `position` None: nothing was ever committed. `records` are offsets still to pass, 0 when only
    transaction markers are left. `seconds` is the age of the oldest record not yet processed.
    """

    topic: str
    partition: int
    position: int | None
    end: int
    records: int
    seconds: float


def measure(
    admin: LogAdmin, reader: LogReader, group: str, topics: Collection[str]
) -> Iterator[PartitionLag]:
    """The lag of a group on each partition of the topics that exist, in their order."""
    existing = admin.topics(topics)
    places = [
        TopicPartition(name, number)
        for name in topics
        if name in existing
        for number in range(existing[name].partitions)
    ]
    positions = admin.group_positions(group, places)
    starts, ends = admin.starts(places), admin.ends(places)
    for place in places:
        committed = positions[place]
        position = committed.offset if committed else None
        since = max(position or 0, starts[place])
        oldest_ms = _oldest_ms(reader, place, since) if since < ends[place] else None
        yield PartitionLag(
            topic=place.topic,
            partition=place.partition,
            position=position,
            end=ends[place],
            records=0 if oldest_ms is None else ends[place] - since,
            seconds=0.0 if oldest_ms is None else max(0.0, now_us() / 1e6 - oldest_ms / 1e3),
        )


def _oldest_ms(reader: LogReader, place: TopicPartition, since: int) -> int | None:
    """The timestamp of the first record at or after an offset; None if only markers are there."""
    first = next(iter(reader.read({place: since})), None)
    return first.timestamp_ms if first else None
