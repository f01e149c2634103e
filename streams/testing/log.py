"""An in-memory Kafka for tests: the same answers as the broker's, at once and in the same order.

Transaction markers occupy offsets, committed readers stop at the first open transaction, older
producers of a transactional id are fenced, and rebalances happen inside `poll`. Nothing waits.
`tests/contract` runs one suite over this and over a real broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from streams.clock import Deadline
from streams.errors import InputError
from streams.ports.records import Outgoing, Record, TopicPartition
from streams.testing.admin import InMemoryAdmin
from streams.testing.broker import InMemoryBroker
from streams.testing.consumer import InMemoryConsumer
from streams.testing.coordinator import CommitFault
from streams.testing.partition import PartitionLog
from streams.testing.reader import InMemoryReader
from streams.testing.transactions import InMemoryTransactions


class InMemoryLog:
    """Implements the `Log` port: one imagined cluster, safe from any thread."""

    def __init__(self) -> None:
        self._broker = InMemoryBroker()
        self._member_ids = count(1)

    def consumer(self, group: str) -> InMemoryConsumer:
        """A consumer that is not yet a member."""
        return InMemoryConsumer(self._broker, group, next(self._member_ids))

    def transactions(
        self,
        transactional_id: str,
        deadline: Deadline | None = None,  # noqa: ARG002 it never waits
    ) -> InMemoryTransactions:
        """A producer; fences every older one with this id."""
        return InMemoryTransactions(self._broker, transactional_id)

    def reader(self) -> InMemoryReader:
        """A reader outside any group."""
        return InMemoryReader(self._broker)

    def admin(self) -> InMemoryAdmin:
        """Questions about topics and groups."""
        return InMemoryAdmin(self._broker)

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic; InputError when it exists."""
        with self._broker.lock:
            if name in self._broker.topics:
                raise InputError(f"found a topic {name}, wanted a name that is free")
            self._broker.create(name, partitions)

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> Record:
        """Write one record outside any transaction; returns it with its offset."""
        with self._broker.lock:
            return self._broker.write(Outgoing(topic, key, value, headers, partition))

    def records(self, topic: str, *, committed: bool = True) -> list[Record]:
        """All records by partition and offset; not committed = open and aborted ones too."""
        with self._broker.lock:
            return [
                record
                for log in self._broker.topic(topic).logs
                for record in log.records(log.start, committed=committed)
            ]

    def set_time(self, timestamp_ms: int) -> None:
        """The timestamp of records from here on; 0 at first."""
        self._broker.timestamp_ms = timestamp_ms

    def fail_next_commit(self, fault: CommitFault) -> None:
        """Make one commit, whichever producer's comes next, go wrong."""
        self._broker.coordinator.next_fault = fault

    def expire_transactions(self) -> None:
        """Abort every open transaction and fence its producer, as the broker's time-out does."""
        with self._broker.lock:
            self._broker.coordinator.expire()

    def drop_offsets(self, group: str) -> None:
        """Forget a group's committed positions, as their retention does."""
        with self._broker.lock:
            self._broker.group(group).positions.clear()

    def delete_records(self, partition: TopicPartition, before: int) -> None:
        """Remove the records below an offset, as retention does."""
        with self._broker.lock:
            self._broker.partition(partition).delete_before(before)

    def delete_topic(self, name: str) -> None:
        """Remove a topic with its records."""
        with self._broker.lock:
            self._broker.delete(name)

    def recreate_topic(self, name: str) -> None:
        """Replace a topic by an empty one of the same name, with another id."""
        with self._broker.lock:
            partitions = self._broker.topic(name).partitions
            self._broker.delete(name)
            self._broker.create(name, partitions)

    def add_partitions(self, name: str, partitions: int) -> None:
        """Grow a topic to `partitions`."""
        with self._broker.lock:
            logs = self._broker.topic(name).logs
            logs += [
                PartitionLog(TopicPartition(name, number))
                for number in range(len(logs), partitions)
            ]
            self._broker.rebalance()
