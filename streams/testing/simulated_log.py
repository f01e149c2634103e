"""The log as one simulated process sees it: each call is a place to stand still, fail or die.

Waits pass virtual time. What a call may raise is what a Kafka client raises there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from streams.clock import Deadline
from streams.errors import BrokerUnavailable, TransactionFailed
from streams.ports.log import GroupMember, RebalanceListener, TopicInfo
from streams.ports.records import Committed, Outgoing, Polled, Record, TopicPartition
from streams.testing.admin import InMemoryAdmin
from streams.testing.consumer import InMemoryConsumer
from streams.testing.coordinator import CommitFault
from streams.testing.group import Membership
from streams.testing.log import InMemoryLog
from streams.testing.process import Fault, Process
from streams.testing.reader import InMemoryReader
from streams.testing.transactions import InMemoryTransactions
from streams.testing.virtual_time import VirtualTime

_CALL_S: Final = 0.001
_WAIT_S: Final = 0.25
_UNANSWERED_S: Final = 1.0
_END: Final = {
    None: None,
    Fault.FAIL: CommitFault.BEFORE,
    Fault.LOST: CommitFault.AFTER,
    Fault.LATE: CommitFault.LATE,
    Fault.SLOW: CommitFault.SLOW,
}

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the calls of one process."""

    process: Process
    time: VirtualTime

    def ask(self, call: str, answer: Callable[[], A]) -> A:
        """One question to a broker."""
        fault = self.reach(call)
        if fault in (Fault.FAIL, Fault.LATE):
            raise self._unanswered(call)
        found = answer()
        if fault is Fault.LOST:
            raise self._unanswered(call)
        return found

    def await_answer(self, call: str, answer: Callable[[], A], deadline: Deadline) -> A:
        """A question that a broker does not answer yet, asked again until the deadline."""
        while True:
            try:
                return self.ask(call, answer)
            except BrokerUnavailable:
                if deadline.is_over:
                    raise
                self.time.now_s += _WAIT_S

    def reach(self, call: str) -> Fault | None:
        """Stand before a call; it takes a moment."""
        fault = self.process.reach(call)
        self.time.now_s += _CALL_S
        return fault

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.time.now_s += seconds

    def _unanswered(self, call: str) -> BrokerUnavailable:
        self.time.now_s += _UNANSWERED_S
        return BrokerUnavailable(f"{call}: no broker answered")


class SimulatedLog:
    """Implements the `Log` port for one process. `consumers` are those it made."""

    def __init__(self, log: InMemoryLog, caller: Caller) -> None:
        self._log = log
        self._caller = caller
        self.consumers: list[InMemoryConsumer] = []

    def consumer(self, group: str) -> SimulatedConsumer:
        """A consumer that is not yet a member."""
        consumer = self._log.consumer(group)
        self.consumers.append(consumer)
        return SimulatedConsumer(consumer, self._caller)

    def transactions(self, transactional_id: str, deadline: Deadline) -> SimulatedTransactions:
        """A producer; fences every older one with this id."""
        producer = self._caller.await_answer(
            "open the producer", lambda: self._log.transactions(transactional_id), deadline
        )
        return SimulatedTransactions(producer, self._caller)

    def reader(self) -> SimulatedReader:
        """A reader outside any group."""
        return SimulatedReader(self._log.reader(), self._caller)

    def admin(self) -> SimulatedAdmin:
        """Questions about topics and groups."""
        return SimulatedAdmin(self._log.admin(), self._caller)


class SimulatedConsumer:
    """Implements the `Consumer` port."""

    def __init__(self, consumer: InMemoryConsumer, caller: Caller) -> None:
        self._consumer = consumer
        self._caller = caller

    def subscribe(self, topics: Collection[str], listener: RebalanceListener) -> None:
        """Join the group."""
        self._caller.reach("join the group")
        self._consumer.subscribe(topics, listener)

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        """What is there now; nothing takes the whole time-out."""
        self._caller.reach("poll")
        polled = self._consumer.poll(max_records, timeout_s)
        if not polled.batches:
            self._caller.wait(timeout_s)
        return polled

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read an assigned partition from `offset`."""
        self._caller.ask(f"seek {partition}", lambda: self._consumer.seek(partition, offset))

    def committed(
        self, partitions: Collection[TopicPartition], deadline: Deadline
    ) -> dict[TopicPartition, Committed | None]:
        """Committed positions; waits for open transactions."""
        return self._caller.await_answer(
            "ask for committed offsets",
            lambda: self._consumer.committed(partitions, deadline),
            deadline,
        )

    def member(self) -> Membership:
        """The membership as it is now."""
        self._caller.reach("ask for the membership")
        return self._consumer.member()

    def close(self, deadline: Deadline | None = None) -> None:
        """Leave the group."""
        if self._caller.reach("leave the group") is None:
            self._consumer.close(deadline)


class SimulatedTransactions:
    """Implements the `TransactionalProducer` port, one request after the other.

    Unlike the client's, it works on after a failure: who keeps it meets the broker's answers.
    """

    def __init__(self, producer: InMemoryTransactions, caller: Caller) -> None:
        self._producer = producer
        self._caller = caller

    @property
    def is_suspicious(self) -> bool:
        """Whether the last commit was slow."""
        return self._producer.is_suspicious

    def commit(
        self,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
        deadline: Deadline | None = None,
    ) -> None:
        """Begin, produce everything, send the positions, commit."""
        if deadline is not None and deadline.is_over:
            raise TransactionFailed("no time is left for it")
        self._producer.begin()
        for output in outputs:
            self._send(f"produce {output.topic}", partial(self._producer.produce, output))
        if positions:
            send = partial(self._producer.send_positions, positions, member)
            self._send("send offsets", send)
        fault = self._caller.reach("commit the transaction")
        self._producer.end(_END[fault])

    def discard(self) -> None:
        """Drop the producer."""
        self._producer.discard()

    def _send(self, call: str, request: Callable[[], None]) -> None:
        fault = self._caller.reach(call)
        if fault not in (Fault.FAIL, Fault.LATE):
            request()
        if fault not in (None, Fault.SLOW):
            raise TransactionFailed(f"{call}: no broker answered")


class SimulatedReader:
    """Implements the `LogReader` port."""

    def __init__(self, reader: InMemoryReader, caller: Caller) -> None:
        self._reader = reader
        self._caller = caller

    def read(
        self, starts: Mapping[TopicPartition, int], deadline: Deadline | None = None
    ) -> Iterator[Record]:
        """Committed records; nothing takes a while."""
        call = f"read {', '.join(sorted({one.topic for one in starts}))}"
        found = self._caller.ask(call, lambda: list(self._reader.read(starts, deadline)))
        if not found:
            self._caller.wait(_WAIT_S)
        yield from found

    def follow(
        self, starts: Mapping[TopicPartition, int], wait_s: float
    ) -> Iterator[Record | None]:
        """Committed records from each start on; None when there is nothing now."""
        call = f"follow {', '.join(sorted({one.topic for one in starts}))}"
        records = self._reader.follow(starts, wait_s)
        while True:
            record = self._caller.ask(call, lambda: next(records))
            while record is not None:
                yield record
                record = next(records)
            self._caller.wait(wait_s)
            yield None

    def position(self, partition: TopicPartition) -> int:
        """Where `read` or `follow` came to in a partition."""
        return self._reader.position(partition)

    def close(self) -> None:
        """Nothing to release."""


class SimulatedAdmin:
    """Implements the `LogAdmin` port."""

    def __init__(self, admin: InMemoryAdmin, caller: Caller) -> None:
        self._admin = admin
        self._caller = caller

    def topics(self, names: Collection[str]) -> Mapping[str, TopicInfo]:
        """The named topics that exist."""
        return self._caller.ask("describe topics", lambda: self._admin.topics(names))

    def starts(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset still in each log."""
        return self._caller.ask("ask for log starts", lambda: self._admin.starts(partitions))

    def ends(
        self, partitions: Collection[TopicPartition], *, committed: bool = True
    ) -> dict[TopicPartition, int]:
        """The end of each log."""
        return self._caller.ask(
            "ask for log ends", lambda: self._admin.ends(partitions, committed=committed)
        )

    def group_positions(
        self,
        group: str,
        partitions: Collection[TopicPartition],
        deadline: Deadline | None = None,
    ) -> dict[TopicPartition, Committed | None]:
        """Committed positions of a group, seen from outside."""
        return self._caller.await_answer(
            "ask for the group's offsets",
            lambda: self._admin.group_positions(group, partitions),
            deadline or Deadline.after(0.0),
        )

    def close(self) -> None:
        """Nothing to release."""
