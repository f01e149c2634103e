"""A consumer under test, with what it was told and what it read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from streams.clock import Deadline
from streams.ports.log import Consumer, GroupMember
from streams.ports.records import Record, TopicPartition

POLL_S = 0.1
ROUNDS = 300  # 30 s on a broker; in memory a poll returns at once
WAIT = Deadline.after(86_400)


class Reading:
    """A member of a group that remembers. Implements the `RebalanceListener` port."""

    def __init__(self, consumer: Consumer, *topics: str, start: int = 0) -> None:
        self.consumer = consumer
        self.calls: list[str] = []
        self.owned: set[TopicPartition] = set()
        self.member: GroupMember = consumer.member()
        self.records: list[Record] = []
        self.ends: dict[TopicPartition, int] = {}
        self.on_assigned: Callable[[], None] = lambda: None
        self.on_revoked: Callable[[], None] = lambda: None
        self._start = start
        consumer.subscribe(topics, self)

    def assigned(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.calls.append("assigned")
        self.owned |= set(partitions)
        self.member = self.consumer.member()
        self.on_assigned()
        return dict.fromkeys(partitions, self._start)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.calls.append("revoked")
        self.on_revoked()
        self.owned -= set(partitions)

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        self.calls.append("lost")
        self.owned -= set(partitions)

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    @property
    def offsets(self) -> list[int]:
        return [record.offset for record in self.records]

    def poll(self, max_records: int = 1_000) -> None:
        polled = self.consumer.poll(max_records, POLL_S)
        for batch in polled.batches:
            self.records += [batch.record(index) for index in range(len(batch.offsets))]
        self.ends |= polled.ends

    def poll_until(self, is_done: Callable[[], bool], *others: Reading) -> None:
        """Poll, and the others too, until something holds."""
        for _ in range(ROUNDS):
            if is_done():
                return
            for reading in (self, *others):
                reading.poll()
        raise AssertionError(
            f"still not so: calls {self.calls}, owned {self.owned}, ends {self.ends}, "
            f"{len(self.records)} records"
        )
