"""What people asked for about one partition, tried at one offset and answered in one transaction.

Each request succeeds or fails as a whole, on its own. While it is tried, the decisions hold as if
it had succeeded; nobody else is told before the answers are committed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import msgspec

from streams.engine.decisions import Decision, DecisionKind, PartitionDecisions
from streams.engine.fold_partition import HandlerRaised
from streams.engine.quarantine import MAX_DETAIL
from streams.errors import StreamsError
from streams.ports.records import TopicPartition
from streams.topics.keys import Key

GONE: Final = ("gone", "the log does not hold it any more")


class CannotTry(HandlerRaised):
    """What is tried cannot be, through no fault of a handler."""

    def __init__(self, found: StreamsError) -> None:
        super().__init__("", 0, None, found)


class Attempt:
    """Owned by the worker's thread. What succeeds is folded right behind the offset `at`."""

    def __init__(
        self, decisions: PartitionDecisions, source: TopicPartition, topic_id: str, at: int
    ) -> None:
        self._decisions = decisions
        self._source = source
        self._topic_id = topic_id
        self._at = at
        self._before = decisions.last_number
        self._open: dict[int, Decision] = {}
        self._failed: list[Decision] = []
        self._touched: dict[tuple[str, Key], int] = {}

    def begin(self, folds: Collection[str], log_start: int, most: int) -> None:
        """Readmit what is asked for, for a trial: at most so many requests, the oldest first.

        Keys of a fold that is not among `folds` fail, and those whose events are no longer in a log
        that begins at `log_start`.
        """
        redrives = sorted(_redrives(self._decisions, self._at + 1))[:most]
        retries = sorted(_retries(self._decisions, self._at + 1), key=itemgetter(0))
        for offset in redrives:
            self._readmit(self._decision(DecisionKind.REDRIVEN, offset))
        for offset, fold, key in retries[: most - len(redrives)]:
            decision = self._decision(DecisionKind.RETRIED, offset, fold=fold, key=key)
            if fold not in folds:
                self._fail(decision, "not declared", f"the service has no fold {fold} any more")
            elif offset < log_start:
                self._fail(decision, *GONE)
            else:
                self._readmit(decision)

    @property
    def is_single(self) -> bool:
        """Whether one request is tried."""
        return len(self._open) + len(self._failed) <= 1

    def holds(self, number: int) -> bool:
        """Whether a readmission is one of this attempt's."""
        return number in self._open

    def touched(self, number: int, states: Iterable[tuple[str, Key]]) -> None:
        """A redriven record changed these states, by fold and key."""
        self._touched.update(dict.fromkeys(states, number))

    def refuse(self, number: int, reason: str, detail: str) -> None:
        """A record cannot be folded; nothing of it was."""
        self._fail(self._withdraw(number), reason, detail)

    def blame(self, raised: HandlerRaised) -> None:
        """What raised has failed; its traces are in the states."""
        if isinstance(raised, CannotTry):
            self.give_up(raised.reason, raised.detail)
            return
        decision = self._withdraw(self._cause(raised))
        self._fail(
            decision,
            raised.reason,
            raised.detail,
            raised_by="handler" if raised.offset is not None else "result",
            raised_at=raised.offset,
            where=raised.where,
        )

    def give_up(self, reason: str, detail: str) -> None:
        """All that is tried fails."""
        for number in list(self._open):
            self._fail(self._withdraw(number), reason, detail)

    @property
    def answers(self) -> list[Decision]:
        """What to publish."""
        return [*self._open.values(), *self._failed]

    def conclude(self) -> None:
        """The answers are committed."""
        self.undo()
        for decision in self.answers:
            self._decisions.add(decision)

    def undo(self) -> None:
        """What was readmitted for a trial is skipped again; it is still asked for."""
        for number in self._open:
            self._decisions.take_back(number)
        self._decisions.last_number = self._before

    def _readmit(self, decision: Decision) -> None:
        self._open[self._decisions.readmit(decision)] = decision

    def _withdraw(self, number: int) -> Decision:
        del self._open[number]
        return self._decisions.take_back(number)

    def _cause(self, raised: HandlerRaised) -> int:
        redriven = self._decisions.redriven.get(-1 if raised.offset is None else raised.offset)
        if redriven in self._open:
            return redriven
        state = (raised.fold, raised.key)
        for number, one in self._open.items():
            if one.kind is DecisionKind.RETRIED and (one.fold, one.fold_key) == state:
                return number
        return self._touched[state]

    def _fail(self, decision: Decision, reason: str, detail: str, **why: Any) -> None:
        is_redrive = decision.kind is DecisionKind.REDRIVEN
        failed = msgspec.structs.replace(
            decision,
            kind=DecisionKind.REDRIVE_FAILED if is_redrive else DecisionKind.RETRY_FAILED,
            reason=reason,
            detail=detail[:MAX_DETAIL],
            **why,
        )
        self._failed.append(failed)

    def _decision(
        self, kind: DecisionKind, original: int, *, fold: str = "", key: Key | None = None
    ) -> Decision:
        return Decision(
            kind=kind,
            topic=self._source.topic,
            topic_id=self._topic_id,
            partition=self._source.partition,
            at=self._at,
            original=original,
            reason="",
            fold=fold,
            key=key,
        )


def is_asked(decisions: PartitionDecisions, position: int) -> bool:
    """Whether something is asked for that was met below a position."""
    found = chain(_redrives(decisions, position), _retries(decisions, position))
    return any(True for _ in found)


def _redrives(decisions: PartitionDecisions, position: int) -> Iterable[int]:
    return (offset for offset in decisions.redrives if offset < position)


def _retries(decisions: PartitionDecisions, position: int) -> Iterable[tuple[int, str, Key]]:
    for fold, key in decisions.retries:
        offset = decisions.parked[fold][key]
        if offset < position:
            yield offset, fold, key
