"""A transactional producer of the in-memory log, with the failures a real one has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from streams.clock import Deadline
from streams.errors import NotFound, TransactionFailed
from streams.ports.log import GroupMember
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.testing.broker import InMemoryBroker
from streams.testing.coordinator import CommitFault
from streams.testing.group import Membership
from streams.testing.partition import Transaction


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
            self._commit(outputs, positions, member, self._broker.coordinator.take_fault())
            self._is_dropped = False

    def discard(self) -> None:
        """Drop the producer; safe to call twice."""
        self._is_dropped = True

    def _commit(
        self,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
        fault: CommitFault | None,
    ) -> None:
        coordinator = self._broker.coordinator
        transaction = coordinator.begin(self._id, self._epoch)
        for outgoing in outputs:
            coordinator.check(self._id, self._epoch)
            with self._missing_fails():
                self._broker.write(outgoing, transaction)
        if positions:
            self._add(positions, member, transaction)
        coordinator.check(self._id, self._epoch)
        if fault is CommitFault.BEFORE:
            raise TransactionFailed(f"transaction of {self._id} failed")
        self._broker.commit(self._id)
        if fault is CommitFault.AFTER:
            raise TransactionFailed(f"the outcome of the transaction of {self._id} is unknown")
        self._is_suspicious = fault is CommitFault.SLOW

    def _add(
        self,
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
        transaction: Transaction,
    ) -> None:
        if not isinstance(member, Membership):
            raise TypeError(
                f"found {type(member).__name__}, wanted the member of an InMemoryConsumer"
            )
        self._broker.group(member.group).check(member)
        for partition, committed in positions.items():
            with self._missing_fails():
                self._broker.partition(partition)
            transaction.positions[member.group, partition] = committed

    @contextmanager
    def _missing_fails(self) -> Iterator[None]:
        try:
            yield
        except NotFound as exc:
            raise TransactionFailed(f"transaction of {self._id} failed: {exc}") from exc
