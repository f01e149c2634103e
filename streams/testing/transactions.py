"""A transactional producer of the in-memory log, with the failures a real one has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from streams.clock import Deadline
from streams.errors import NotFound, TransactionFailed
from streams.ports.log import GroupMember
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.testing.broker import InMemoryBroker
from streams.testing.coordinator import CommitFault, EndTxn
from streams.testing.group import Membership


class InMemoryTransactions:
    """Implements the `TransactionalProducer` port."""

    def __init__(self, broker: InMemoryBroker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._is_dropped = False
        self._is_suspicious = False
        with broker.lock:
            self._epoch = broker.coordinator.open(transactional_id)

    @property
    def is_suspicious(self) -> bool:
        """Whether the last commit was slow."""
        return self._is_suspicious

    def commit(
        self,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
        deadline: Deadline | None = None,
    ) -> None:
        """All of it or nothing; a failure leaves the transaction open, as a lost producer does."""
        if self._is_dropped:
            raise TransactionFailed(f"the producer {self._id} was dropped")
        with self._broker.lock:
            self._is_dropped = True
            if deadline is not None and deadline.is_over:
                raise TransactionFailed(f"no time is left for the transaction of {self._id}")
            fault = self._broker.coordinator.take_fault()
            self.begin()
            for outgoing in outputs:
                self.produce(outgoing)
            if positions:
                self.send_positions(positions, member)
            self.end(fault)
            self._is_dropped = False

    def discard(self) -> None:
        """Drop the producer; safe to call twice."""
        self._is_dropped = True

    def begin(self) -> None:
        """Open a transaction."""
        with self._broker.lock:
            self._broker.coordinator.begin(self._id, self._epoch)

    def produce(self, outgoing: Outgoing) -> None:
        """Write one record of it."""
        with self._broker.lock, self._missing_fails():
            transaction = self._broker.coordinator.begin(self._id, self._epoch)
            self._broker.write(outgoing, transaction)

    def send_positions(
        self, positions: Mapping[TopicPartition, Committed], member: GroupMember
    ) -> None:
        """Add positions of a group to it, if `member` may set them."""
        if not isinstance(member, Membership):
            raise TypeError(
                f"found {type(member).__name__}, wanted the member of an InMemoryConsumer"
            )
        with self._broker.lock, self._missing_fails():
            transaction = self._broker.coordinator.begin(self._id, self._epoch)
            self._broker.group(member.group).check(member)
            for partition, committed in positions.items():
                self._broker.partition(partition)
                transaction.positions[member.group, partition] = committed

    def end(self, fault: CommitFault | None = None) -> None:
        """Commit it, or fail in the way that was asked for."""
        coordinator, end = self._broker.coordinator, EndTxn(self._id, self._epoch)
        with self._broker.lock:
            coordinator.check(self._id, self._epoch)
            if fault in (CommitFault.LATE, CommitFault.SLOW):
                coordinator.held.append(end)
            if fault in (CommitFault.BEFORE, CommitFault.LATE):
                raise TransactionFailed(f"transaction of {self._id} failed")
            self._broker.commit(end)
            if fault is CommitFault.AFTER:
                raise TransactionFailed(f"the outcome of the transaction of {self._id} is unknown")
            self._is_suspicious = fault is CommitFault.SLOW

    @contextmanager
    def _missing_fails(self) -> Iterator[None]:
        try:
            yield
        except NotFound as exc:
            raise TransactionFailed(f"transaction of {self._id} failed: {exc}") from exc
