"""An in-memory Kafka for tests: the same answers as the broker's, at once and in the same order.

Transaction markers occupy offsets, committed readers stop at the first open transaction, older
producers of a transactional id are fenced, and rebalances happen inside `poll`. Nothing waits.
`tests/contract` runs one suite over this and over a real broker.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import takewhile

from streams.clock import Deadline
from streams.errors import InputError
from streams.ports.records import Outgoing, Record, TopicPartition
from streams.testing.admin import InMemoryAdmin
from streams.testing.broker import InMemoryBroker, OnCommit
from streams.testing.consumer import InMemoryConsumer
from streams.testing.coordinator import CommitFault
from streams.testing.partition import PartitionLog, Transaction
from streams.testing.reader import InMemoryReader
from streams.testing.transactions import InMemoryTransactions


class InMemoryLog:
    """Implements the `Log` port: one imagined cluster, safe from any thread.

    `protocol` is that of its groups: KIP-848 (`consumer`), or `classic` with the eager assignor.
    """

    def __init__(self, protocol: str = "consumer") -> None:
        self._broker = InMemoryBroker(protocol)

    def consumer(self, group: str) -> InMemoryConsumer:
        """A consumer that is not yet a member."""
        return InMemoryConsumer(self._broker, group)

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

    def partitions(self, topic: str) -> list[TopicPartition]:
        """The partitions of a topic."""
        with self._broker.lock:
            return [log.source for log in self._broker.topic(topic).logs]

    def end(self, partition: TopicPartition) -> int:
        """The offset behind the last committed record and its marker."""
        with self._broker.lock:
            return self._broker.partition(partition).stable_end

    def between(self, partition: TopicPartition, start: int, end: int) -> list[Record]:
        """The committed records of a partition from `start` up to before `end`."""
        with self._broker.lock:
            records = self._broker.partition(partition).records(start)
            return list(takewhile(lambda record: record.offset < end, records))

    def on_commit(self, hear: OnCommit) -> None:
        """Tell of each transaction that is committed from here on."""
        self._broker.on_commit = hear

    def set_time(self, timestamp_ms: int) -> None:
        """The timestamp of records from here on; 0 at first."""
        self._broker.timestamp_ms = timestamp_ms

    def fail_next_commit(self, fault: CommitFault) -> None:
        """Make one commit, whichever producer's comes next, go wrong."""
        self._broker.coordinator.next_fault = fault

    def deliver_late(self) -> None:
        """Let the oldest request to commit that is still under way arrive."""
        with self._broker.lock:
            end = self._broker.coordinator.take_held()
            if end is not None:
                self._broker.commit(end)

    def open_transactions(self) -> dict[str, Transaction]:
        """The open transactions by their ids."""
        with self._broker.lock:
            return dict(self._broker.coordinator.opened)

    def expire_transactions(self, transactional_ids: Collection[str] | None = None) -> None:
        """Abort open transactions (None: all) and fence their producers, as a time-out does."""
        with self._broker.lock:
            self._broker.coordinator.expire(transactional_ids)

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
