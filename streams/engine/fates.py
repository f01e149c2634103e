"""What became of each skipped key and record, told from decisions in their order.

For people and for verbs; workers follow `PartitionDecisions`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from streams.engine.decisions import ASKED, Decision, DecisionKind

FAILED = frozenset({DecisionKind.RETRY_FAILED, DecisionKind.REDRIVE_FAILED})
ANSWERS = FAILED | {DecisionKind.RETRIED, DecisionKind.REDRIVEN}

_SKIPPING = frozenset({DecisionKind.PARKED, DecisionKind.QUARANTINED})


@dataclass(slots=True)
class Fate:
    """One parked key or quarantined record.

    `skipped` is the decision since which it is skipped. `last` is the newest one about it: the
    same, a request, or the answer to one. `why` tells what is wrong with it, as far as is known.
    `…_ms` are the broker's times.
    """

    skipped: Decision
    skipped_ms: int
    last: Decision
    last_ms: int
    why: Decision

    @property
    def is_folded(self) -> bool:
        """Whether it is skipped no more."""
        return self.last.kind in (DecisionKind.RETRIED, DecisionKind.REDRIVEN)

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked to fold it, and nobody answered yet."""
        return self.last.kind in ASKED

    @property
    def state(self) -> str:
        """The newest decision in words, such as `retry asked`."""
        return self.last.kind.replace("_", " ")


class Fates:
    """Follows decisions; `all` is in the order in which keys and records were first skipped."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Fate] = {}

    @property
    def all(self) -> list[Fate]:
        """Every key and record that was ever skipped."""
        return list(self._found.values())

    def add(self, decision: Decision, timestamp_ms: int = 0) -> None:
        """Follow one more; a request about something that is not skipped is moot."""
        subject = about(decision)
        if decision.kind in _SKIPPING:
            self._found[subject] = Fate(decision, timestamp_ms, decision, timestamp_ms, decision)
            return
        fate = self._found.get(subject)
        if fate is None or (decision.kind in ASKED and fate.is_folded):
            return
        fate.last, fate.last_ms = decision, timestamp_ms
        if decision.kind in FAILED:
            fate.why = decision


def about(decision: Decision) -> Hashable:
    """The key or record that a decision is about: the same for a request and its answer."""
    topic = (decision.source, decision.topic_id)
    if decision.fold:
        return (*topic, decision.fold, decision.fold_key)
    return (*topic, decision.at if decision.original is None else decision.original)
