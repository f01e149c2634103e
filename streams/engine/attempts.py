"""A partition's attempts to fold what is asked for, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from streams.engine.attempt import Attempt, CannotTry, is_asked
from streams.engine.decisions import Decision, PartitionDecisions
from streams.engine.fold_partition import HandlerRaised
from streams.errors import FoldChanged, Overloaded
from streams.ports.records import TopicPartition

MAX_REQUESTS: Final = 1_000
"""At once; the rest waits for the next attempt."""

MAX_OUTPUTS: Final = 500_000
"""Facts and results of one attempt: they wait in memory, and go in one transaction."""

MAX_FAILURES: Final = 3
"""Commits of answers that may fail in a row before that is the answer."""

_NOT_COMMITTED: Final = (
    "not committed",
    f"{MAX_FAILURES} transactions with the outcome failed; see the worker's log, then ask again",
)


class Attempts:
    """Owned by the worker's thread. `open` is the attempt that is not answered yet.

    After one that comes to nothing as a whole, half as many requests are tried at once: one that
    cannot be tried must not stand in the way of all others.
    """

    def __init__(
        self,
        decisions: PartitionDecisions,
        source: TopicPartition,
        topic_id: str,
        folds: Collection[str],
    ) -> None:
        self.open: Attempt | None = None
        self._decisions = decisions
        self._source = source
        self._topic_id = topic_id
        self._folds = folds
        self._most = MAX_REQUESTS
        self._failures = 0

    def are_due(self, position: int) -> bool:
        """Whether something is asked for that was met below a position, and none is open."""
        return self.open is None and is_asked(self._decisions, position)

    def begin(self, position: int, log_start: int) -> None:
        """Open one, in a log that begins at `log_start`."""
        self.open = Attempt(self._decisions, self._source, self._topic_id, position - 1)
        self.open.begin(self._folds, log_start, self._most)
        if self._failures == MAX_FAILURES:
            self.open.give_up(*_NOT_COMMITTED)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """While something is tried: what would stop the worker is CannotTry."""
        try:
            yield
        except FoldChanged as exc:
            if self.open is None:
                raise
            raise CannotTry(exc) from exc

    def check_size(self, outputs: int) -> None:
        """CannotTry when what is tried makes more than memory and a transaction should hold."""
        if self.open is not None and outputs > MAX_OUTPUTS:
            found = f"found over {MAX_OUTPUTS:,} facts and results of one attempt, wanted fewer"
            raise CannotTry(Overloaded(found))

    def fail(self, raised: HandlerRaised) -> None:
        """What raised fails, and what else is tried goes on."""
        if self.open is None:
            return
        if isinstance(raised, CannotTry) and not self.open.is_single:
            self.withdraw()
        else:
            self.open.blame(raised)

    def not_committed(self) -> None:
        """The answers could not be committed."""
        self._failures += 1
        self.withdraw()

    def withdraw(self) -> None:
        """All that was tried is as it was, and still asked for."""
        if self.open is not None:
            self.open.undo()
            self.open = None
            self._most = max(1, self._most // 2)

    def conclude(self) -> list[Decision]:
        """The answers, which are committed."""
        if self.open is None:
            return []
        self.open.conclude()
        answers, self.open = self.open.answers, None
        self._failures = 0
        if not (self._decisions.redrives or self._decisions.retries):
            self._most = MAX_REQUESTS
        return answers
