"""What was done with events whose bytes alone do not decide it; kept in `<service>.decisions`.

Decisions are written in the transaction that commits the offset they belong to, so recovery,
which reads them first, does again exactly what was done, whatever today's code would do. What a
person asks for stands beside them, and the owner of the partition answers it with a decision.

    QUARANTINED ──▶ REDRIVE_ASKED ──▶ REDRIVEN           PARKED ──▶ RETRY_ASKED ──▶ RETRIED
        ▲                │                                  ▲             │
        └─ REDRIVE_FAILED┘                                  └ RETRY_FAILED┘

Two more are a person's own: SKIPPED accepts that records are gone which nobody folded, BEGUN_ANEW
that a topic is another one than that of its name which was folded before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from streams.errors import WorkerStopped
from streams.ports.records import Outgoing, Record, TopicPartition
from streams.topics.keys import Key

PARTITION = 0
"""Decisions of a service are few and read in one order: their topic has one partition."""


class DecisionKind(StrEnum):
    """What was done, or asked for."""

    QUARANTINED = "quarantined"
    REDRIVE_ASKED = "redrive_asked"
    REDRIVEN = "redriven"
    REDRIVE_FAILED = "redrive_failed"
    PARKED = "parked"
    RETRY_ASKED = "retry_asked"
    RETRIED = "retried"
    RETRY_FAILED = "retry_failed"
    SKIPPED = "skipped"
    BEGUN_ANEW = "begun_anew"


ASKED = frozenset({DecisionKind.REDRIVE_ASKED, DecisionKind.RETRY_ASKED})
"""What people ask for, and the owner of a partition answers."""

ACCEPTED = frozenset({DecisionKind.SKIPPED, DecisionKind.BEGUN_ANEW})
"""What people decide themselves, with all workers stopped."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. `at` is the input offset it belongs to, in the topic with the id `topic_id`.

    QUARANTINED: the record at `at` is folded by no fold; its bytes are in the quarantine topic.
    PARKED: from `at` on, `fold` skips the events of `key` (JSON; a list if composite). `raised_by`:
    its `handler` raised on the event at `at`; or a `result` raised on the state after the events up
    to the offset `up_to`, of which those from `at` on were not committed. `where` is `file:line`.
    In the topics of `results` the key's result is old from then on.

    Of what is asked for `at` is that of the decision it is about. REDRIVEN: the record at the
    offset `original` is folded right behind the one at `at`, by every fold. RETRIED: `fold` folded
    right behind `at` what it had skipped of `key` since the offset `original`, and skips it no
    more. Of what failed again `reason`, `detail`, `where` and `raised_by` tell why, and `raised_at`
    on which event; then nothing of it was folded.

    SKIPPED: the records from `at` up to the offset `up_to` were gone before any fold had them.
    BEGUN_ANEW: folding begins at `at`; ids of facts tell this topic from the one before. `ends` are
    those of the outputs at that moment, by `topic/partition`: what stands below was made of that.
    """

    kind: DecisionKind
    topic: str
    topic_id: str
    partition: int
    at: int
    reason: str
    detail: str = ""
    raised_by: str = ""
    up_to: int | None = None
    original: int | None = None
    raised_at: int | None = None
    where: str = ""
    results: tuple[str, ...] = ()
    ends: dict[str, int] = {}
    fold: str = ""
    key: Any = None

    @property
    def source(self) -> TopicPartition:
        """The input partition."""
        return TopicPartition(self.topic, self.partition)

    @property
    def fold_key(self) -> Key:
        """The parked key as the fold knows it."""
        key: Key = tuple(self.key) if isinstance(self.key, list) else self.key
        return key

    def outgoing(self, topic: str) -> Outgoing:
        """The record for the decisions topic."""
        return Outgoing(topic, str(self.source).encode(), _encoder.encode(self), (), PARTITION)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Decision)


def decision_of(record: Record) -> Decision:
    """The decision in a record of a decisions topic; WorkerStopped if it is none."""
    try:
        return _decoder.decode(record.value or b"")
    except msgspec.DecodeError as exc:
        raise WorkerStopped(
            f"{record.source}: found a record that is no decision ({exc}), wanted those of workers "
            "only; if a newer version wrote it, run that version"
        ) from exc


@dataclass(slots=True)
class PartitionDecisions:
    """The decisions about one input partition, and what is asked for.

    `parked` tells by fold and key from which offset on it is skipped. `readmitted` holds RETRIED
    and REDRIVEN by their numbers, which count up in the order of the log; `redriven` has the
    numbers of the latter by the offset of their record.
    """

    quarantined: set[int] = field(default_factory=set)
    parked: dict[str, dict[Key, int]] = field(default_factory=dict)
    readmitted: dict[int, Decision] = field(default_factory=dict)
    redriven: dict[int, int] = field(default_factory=dict)
    last_number: int = 0
    redrives: set[int] = field(default_factory=set)
    retries: set[tuple[str, Key]] = field(default_factory=set)
    gaps: list[range] = field(default_factory=list)
    is_begun_anew: bool = False

    def copy(self) -> PartitionDecisions:
        """An own copy, to which an owner adds what it decides before that is committed."""
        return PartitionDecisions(
            set(self.quarantined),
            {fold: dict(keys) for fold, keys in self.parked.items()},
            dict(self.readmitted),
            dict(self.redriven),
            self.last_number,
            set(self.redrives),
            set(self.retries),
            list(self.gaps),
            self.is_begun_anew,
        )

    def behind_gaps(self, offset: int) -> int:
        """Where to go on from an offset: behind the records that are accepted to be gone."""
        for gap in self.gaps:
            if offset in gap:
                offset = gap.stop
        return offset

    def add(self, decision: Decision) -> None:
        """Follow one more decision; what is asked about something that is not skipped is moot."""
        match decision.kind:
            case DecisionKind.QUARANTINED:
                self.quarantined.add(decision.at)
            case DecisionKind.PARKED:
                self.parked.setdefault(decision.fold, {})[decision.fold_key] = decision.at
            case DecisionKind.REDRIVE_ASKED | DecisionKind.RETRY_ASKED:
                self._ask(decision)
            case DecisionKind.REDRIVEN | DecisionKind.RETRIED:
                self.readmit(decision)
                self._answered(decision)
            case DecisionKind.REDRIVE_FAILED:
                self.readmitted.pop(self.redriven.pop(_original(decision), 0), None)
                self._answered(decision)
            case DecisionKind.RETRY_FAILED:
                self._answered(decision)
            case DecisionKind.SKIPPED:
                self.gaps.append(range(decision.at, _end(decision)))
            case DecisionKind.BEGUN_ANEW:
                self.is_begun_anew = True

    def readmit(self, decision: Decision) -> int:
        """Skip no more what RETRIED or REDRIVEN speaks of; returns the number of that."""
        self.last_number += 1
        self.readmitted[self.last_number] = decision
        if decision.kind is DecisionKind.RETRIED:
            self.parked.get(decision.fold, {}).pop(decision.fold_key, None)
        else:
            self.redriven[_original(decision)] = self.last_number
        return self.last_number

    def take_back(self, number: int) -> Decision:
        """Skip it again; its number stays given."""
        decision = self.readmitted.pop(number)
        if decision.kind is DecisionKind.RETRIED:
            self.parked[decision.fold][decision.fold_key] = _original(decision)
        else:
            del self.redriven[_original(decision)]
        return decision

    def _ask(self, decision: Decision) -> None:
        at, fold, key = decision.at, decision.fold, decision.fold_key
        if decision.kind is DecisionKind.RETRY_ASKED:
            if key in self.parked.get(fold, ()):
                self.retries.add((fold, key))
        elif at in self.quarantined and at not in self.redriven:
            self.redrives.add(at)

    def _answered(self, decision: Decision) -> None:
        if decision.fold:
            self.retries.discard((decision.fold, decision.fold_key))
        else:
            self.redrives.discard(_original(decision))


def _end(decision: Decision) -> int:
    return decision.at if decision.up_to is None else decision.up_to + 1


def _original(decision: Decision) -> int:
    return -1 if decision.original is None else decision.original
