"""A group member of the in-memory log; every step happens inside the calls of its owner."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import islice
from typing import TypeVar

from streams.clock import Deadline
from streams.errors import PositionGone, StreamsError, TopicGone
from streams.ports.log import RebalanceListener
from streams.ports.records import Batch, Committed, Polled, TopicPartition
from streams.testing.batch import RecordBatch
from streams.testing.broker import InMemoryBroker
from streams.testing.group import Membership

R = TypeVar("R")


class InMemoryConsumer:
    """Implements the `Consumer` port. `poll` never waits, whatever its time-out."""

    def __init__(self, broker: InMemoryBroker, group: str) -> None:
        self._broker = broker
        self._group = broker.group(group)
        self._member_id = next(broker.member_ids)
        self._topics: Collection[str] = ()
        self._listener: RebalanceListener | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._told_ends: dict[TopicPartition, int] = {}
        self._lost: set[TopicPartition] = set()
        self._is_calling = False
        self._polls = 0

    def subscribe(self, topics: Collection[str], listener: RebalanceListener) -> None:
        """Join the group."""
        self._topics = tuple(topics)
        self._listener = listener
        with self._broker.lock:
            self._group.join(self._member_id, self._topics)

    def poll(self, max_records: int, timeout_s: float) -> Polled:  # noqa: ARG002 it never waits
        """What is there now: rebalance callbacks first, then records and ends."""
        if self._listener is not None:
            self._check_topics()
            self._follow_the_group(self._listener)
        with self._broker.lock:
            return self._fetched(max_records)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read an assigned partition from `offset`."""
        if partition not in self._positions:
            raise StreamsError(f"cannot seek {partition}: found it not assigned")
        self._start(partition, offset)

    def committed(
        self,
        partitions: Collection[TopicPartition],
        deadline: Deadline,  # noqa: ARG002 it never waits
    ) -> dict[TopicPartition, Committed | None]:
        """Committed positions; BrokerUnavailable at once while a transaction holds one open."""
        return self._broker.stable_positions(self._group.name, partitions)

    def member(self) -> Membership:
        """The membership as it is now."""
        with self._broker.lock:
            generation = self._group.generation_of(self._member_id)
        return Membership(self._group.name, self._member_id, generation)

    def close(self, deadline: Deadline | None = None) -> None:  # noqa: ARG002 it never waits
        """Leave the group; the listener hears of its partitions once more."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        is_member = self._group.has(self._member_id)
        lost = self._forget(self._lost if is_member else self._positions)
        if lost:
            self._call(listener.lost, lost)
        owned = self._forget(self._positions)
        if owned:
            self._call(listener.revoked, owned)
        with self._broker.lock:
            self._group.leave(self._member_id)

    def heartbeat(self) -> None:
        """What the client does by itself between polls: the epoch moves, callbacks wait.

        A member that was expelled joins again; of what it lost it hears at its next poll.
        """
        with self._broker.lock:
            if self._listener is not None and not self._is_calling:
                self._rejoin()
                self._group.release(self._member_id)

    def expire(self) -> None:
        """Make the group take this member for dead; it learns of that at its next poll."""
        with self._broker.lock:
            self._group.leave(self._member_id)

    def _check_topics(self) -> None:
        gone = [topic for topic in self._topics if topic not in self._broker.topics]
        if gone:
            raise TopicGone(f"the topics {gone} are gone")

    def _follow_the_group(self, listener: RebalanceListener) -> None:
        """Callbacks run without the log's lock, as they may take long or wait for others."""
        with self._broker.lock:
            self._rejoin()
        lost, self._lost = self._forget(self._lost), set()
        if lost:
            self._call(listener.lost, lost)
        with self._broker.lock:
            if not self._group.has(self._member_id):
                return  # it was expelled in its own callback, and hears of that next time
            leaving = self._group.leaving(self._member_id)
        if leaving:
            self._forget(leaving)
            self._call(listener.revoked, leaving)
        with self._broker.lock:
            if not self._group.has(self._member_id):
                return
            self._group.release(self._member_id, leaving)
            arriving = self._group.arriving(self._member_id)
            self._group.own(self._member_id, arriving)
        if arriving:
            for partition, offset in self._call(listener.assigned, arriving).items():
                self._start(partition, offset)

    def _rejoin(self) -> None:
        if not self._group.has(self._member_id):
            self._lost |= self._positions.keys()
            self._member_id = next(self._broker.member_ids)
            self._group.join(self._member_id, self._topics)

    def _call(
        self, hear: Callable[[list[TopicPartition]], R], partitions: list[TopicPartition]
    ) -> R:
        self._is_calling = True
        try:
            return hear(partitions)
        finally:
            self._is_calling = False

    def _start(self, partition: TopicPartition, offset: int) -> None:
        self._positions[partition] = offset
        self._told_ends.pop(partition, None)

    def _forget(self, partitions: Collection[TopicPartition]) -> list[TopicPartition]:
        gone = sorted(partitions)
        for partition in gone:
            self._positions.pop(partition, None)
            self._told_ends.pop(partition, None)
        return gone

    def _fetched(self, max_records: int) -> Polled:
        batches: list[Batch] = []
        ends: dict[TopicPartition, int] = {}
        left = max_records
        for partition in self._in_turn():
            log, position = self._broker.partition(partition), self._positions[partition]
            if not log.holds(position):
                raise PositionGone(
                    f"{partition}: found a log of {log.start} to {log.end}, "
                    f"wanted offset {position}"
                )
            records = list(islice(log.records(position), left))
            left -= len(records)
            if records:
                batches.append(RecordBatch(records))
                position = records[-1].offset + 1
            if next(log.records(position), None) is None:
                position = max(position, log.stable_end)
                if self._told_ends.get(partition) != position:
                    ends[partition] = self._told_ends[partition] = position
            self._positions[partition] = position
        return Polled(batches, ends)

    def _in_turn(self) -> list[TopicPartition]:
        """Each poll begins with another partition, so that a full one does not starve the rest."""
        partitions = sorted(self._positions)
        self._polls += 1
        first = self._polls % len(partitions) if partitions else 0
        return partitions[first:] + partitions[:first]
