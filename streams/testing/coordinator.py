"""The transaction coordinator of the in-memory log: epochs fence older producers of one id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from streams.errors import Fenced
from streams.ports.records import TopicPartition
from streams.testing.partition import State, Transaction


class CommitFault(Enum):
    """What goes wrong in the next commit."""

    BEFORE = auto()
    """It fails before it takes effect; its transaction stays open until the id is taken anew."""
    AFTER = auto()
    """It takes effect, and the answer is lost: it raises all the same."""
    LATE = auto()
    """It raises; its request is held somewhere, and ends whatever is open when it arrives."""
    SLOW = auto()
    """It succeeds, but so slowly that the producer is suspicious: a second request is held."""


@dataclass(frozen=True, slots=True)
class EndTxn:
    """A request to commit. It names no transaction, only the producer's epoch (no KIP-890)."""

    transactional_id: str
    epoch: int


class Coordinator:
    """Transactional ids, their epochs and open transactions. The caller holds the log's lock.

    `held` are requests that are still under way.
    """

    def __init__(self) -> None:
        self._epochs: Counter[str] = Counter()
        self._open: dict[str, Transaction] = {}
        self.held: list[EndTxn] = []
        self.next_fault: CommitFault | None = None

    def open(self, transactional_id: str) -> int:
        """A new producer's epoch; aborts what an older one with this id left open."""
        self._abort(transactional_id)
        return self._epochs[transactional_id]

    def begin(self, transactional_id: str, epoch: int) -> Transaction:
        """The open transaction of an id, a new one if there is none."""
        self.check(transactional_id, epoch)
        return self._open.setdefault(transactional_id, Transaction())

    def check(self, transactional_id: str, epoch: int) -> None:
        """Fenced unless the epoch is the newest: each step of a transaction asks."""
        if epoch != self._epochs[transactional_id]:
            raise Fenced(
                f"another producer took the transactional id {transactional_id}: "
                f"found epoch {self._epochs[transactional_id]}, wanted {epoch}"
            )

    def commit(self, end: EndTxn) -> Transaction:
        """End the open transaction of an id: its records are visible from here on."""
        self.check(end.transactional_id, end.epoch)
        transaction = self._open.pop(end.transactional_id, None) or Transaction()
        transaction.end(State.COMMITTED)
        return transaction

    def take_held(self) -> EndTxn | None:
        """The oldest request under way that will still be heard; those of old epochs are not."""
        while self.held:
            end = self.held.pop(0)
            if end.epoch == self._epochs[end.transactional_id]:
                return end
        return None

    @property
    def opened(self) -> Mapping[str, Transaction]:
        """The open transactions by their ids."""
        return self._open

    def expire(self, transactional_ids: Collection[str] | None = None) -> None:
        """Abort open transactions (None: all) and fence their producers, as a time-out does."""
        for transactional_id in list(self._open):
            if transactional_ids is None or transactional_id in transactional_ids:
                self._abort(transactional_id)

    def is_pending(self, group: str, partition: TopicPartition) -> bool:
        """Whether an open transaction holds a position of the group."""
        return any((group, partition) in one.positions for one in self._open.values())

    def take_fault(self) -> CommitFault | None:
        """What the next commit was told to do wrong; asked once for each."""
        fault, self.next_fault = self.next_fault, None
        return fault

    def _abort(self, transactional_id: str) -> None:
        self._epochs[transactional_id] += 1
        transaction = self._open.pop(transactional_id, None)
        if transaction is not None:
            transaction.end(State.ABORTED)
