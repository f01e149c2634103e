"""What the engine asks of a log; `streams.kafka` and `streams.testing` both answer.

The contract suite in `tests/contract` runs over both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from streams.clock import Deadline
from streams.ports.records import Committed, Outgoing, Polled, Record, TopicPartition


class GroupMember(Protocol):
    """A worker's membership as it was when it was captured; opaque but for its generation."""

    @property
    def generation(self) -> int:
        """Generation or member epoch; -1 before the first join."""


class RebalanceListener(Protocol):
    """Called from inside `Consumer.poll`, in the thread that polls."""

    def assigned(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """New partitions arrived; returns the offset to start each from."""

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Partitions are about to go; this is the last chance to commit them."""

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """Partitions are already gone; nothing may be committed for them."""


class Consumer(Protocol):
    """A member of a consumer group, reading committed records only. One thread owns it."""

    def subscribe(self, topics: Collection[str], listener: RebalanceListener) -> None:
        """Join the group."""

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        """Records and ends; may call the listener, whose errors come out here.

        Raises PositionGone and TopicGone; any other error that needs a human is a WorkerStopped.
        """

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read an assigned partition from `offset`; earlier fetched records are dropped."""

    def committed(
        self, partitions: Collection[TopicPartition], deadline: Deadline
    ) -> dict[TopicPartition, Committed | None]:
        """Stable committed positions (waits for open transactions); None where there is none."""

    def member(self) -> GroupMember:
        """The membership now; capture it when the assignment changes, not at each commit."""

    def close(self, deadline: Deadline | None = None) -> None:
        """Leave the group, without waiting for its answer beyond the deadline. Does not commit."""


class TransactionalProducer(Protocol):
    """Writes outputs and positions in one transaction. One thread owns it."""

    def commit(
        self,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
        deadline: Deadline | None = None,
    ) -> None:
        """Begin, produce everything, send the positions, commit; all of it or nothing is visible.

        Raises TransactionFailed when it failed or its outcome is unknown, as at the deadline; then
        call `discard` and decide the outcome by what is committed. Raises Fenced if another
        producer took the id. A member that never joined (generation -1) is accepted only while the
        group is empty.
        """

    @property
    def is_suspicious(self) -> bool:
        """Whether a broker stalled since the last commit began: recycle before the next."""

    def discard(self) -> None:
        """Drop the producer without waiting; safe to call twice."""


class LogReader(Protocol):
    """Reads partitions from given offsets, outside any group. One thread owns it."""

    def read(
        self, starts: Mapping[TopicPartition, int], deadline: Deadline | None = None
    ) -> Iterable[Record]:
        """Committed records from each start to the partition's end as it is now."""

    def follow(
        self, starts: Mapping[TopicPartition, int], wait_s: float
    ) -> Iterator[Record | None]:
        """Committed records from each start on, for ever; None when nothing came for `wait_s`."""

    def position(self, partition: TopicPartition) -> int:
        """Where `read` or `follow` came to in a partition, past transaction markers."""

    def close(self) -> None:
        """Release the connection."""


class TopicInfo(Protocol):
    """A topic as the broker has it."""

    @property
    def name(self) -> str: ...
    @property
    def topic_id(self) -> str: ...
    @property
    def partitions(self) -> int: ...


class LogAdmin(Protocol):
    """Questions about topics and groups; safe from any thread."""

    def topics(self, names: Collection[str]) -> Mapping[str, TopicInfo]:
        """The named topics that exist."""

    def starts(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset still in each log."""

    def ends(
        self, partitions: Collection[TopicPartition], *, committed: bool = True
    ) -> dict[TopicPartition, int]:
        """The end of each log: past the last committed record (and markers), or past any record."""

    def group_positions(
        self,
        group: str,
        partitions: Collection[TopicPartition],
        deadline: Deadline | None = None,
    ) -> dict[TopicPartition, Committed | None]:
        """Committed positions of a group, seen from outside; BrokerUnavailable at the deadline."""

    def close(self) -> None:
        """Release the connection."""


class Log(Protocol):
    """A log one can connect to: a Kafka cluster, or the in-memory twin."""

    def consumer(self, group: str) -> Consumer:
        """A member-to-be of a group."""

    def transactions(self, transactional_id: str, deadline: Deadline) -> TransactionalProducer:
        """A producer that fences every older one with its id; BrokerUnavailable at the deadline."""

    def reader(self) -> LogReader:
        """A reader of committed records."""

    def admin(self) -> LogAdmin:
        """Questions about topics and groups."""
