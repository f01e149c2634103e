"""All faults in a random mixture that a seed decides, with quiet times to recover in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.clock import monotonic_s
from tests.faults.checker.verdict import Verdict
from tests.faults.fault import Fault, NothingToHarm
from tests.faults.faults.registry import Entry
from tests.faults.trial import Plan, Trial

ROUND_S = 60.0
"""Harm for so long, then a quiet time."""

QUIET = "all"
"""The name under which the healing and the recovery of a whole round stand."""

_SHORTEST_GAP_S, _LONGEST_GAP_S = 1.0, 8.0
_SHORTEST_HOLD_S, _LONGEST_HOLD_S = 1.0, 12.0
_QUIET_S = 10.0
_SHORT_QUIET_S = 1.0
_MOST_AT_ONCE = 3
_TRIES = 3  # three nodes that start at once on a loaded machine take their time
_TURN_S = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """A fault, when it begins, and how long it is left in: seconds from the round's begin."""

    at_s: float
    fault: str
    hold_s: float


@dataclass(slots=True)
class _Active:
    fault: Fault
    injected_s: float
    until_s: float
    is_injected: bool = False


def plan_of(seed: int, protocol: str, *, per_s: float = 100.0, is_wired: bool = False) -> Plan:
    """Workers and hosts as the seed has it."""
    chance = random.Random(f"plan {seed}")
    workers = chance.randint(2, 4)
    return Plan(
        seed=seed,
        protocol=protocol,
        workers=workers,
        hosts=chance.choice((1, workers)),
        per_s=per_s,
        is_proxied=True,
        is_wired=is_wired,
    )


def schedule_of(seed: int, rounds: int, entries: Sequence[Entry]) -> list[list[Step]]:
    """What happens in each round."""
    chance = random.Random(f"schedule {seed}")
    return [_round(chance, entries) for _ in range(rounds)]


def each_of(seed: int, entries: Sequence[Entry]) -> list[list[Step]]:
    """Every fault once, in a round of its own: then its recovery is nobody else's."""
    chance = random.Random(f"each {seed}")
    return [[_step(chance, 0.0, one)] for one in chance.sample(entries, len(entries))]


@dataclass(slots=True)
class Nemesis:
    """Carries out a schedule on a trial. One thread runs it."""

    trial: Trial
    entries: Sequence[Entry]
    _active: list[_Active] = field(default_factory=list)

    def run(self, schedule: Sequence[Sequence[Step]]) -> Verdict:
        """All rounds, each with its quiet time; then the trial's verdict."""
        for steps in schedule:
            self._harm(steps)
            self._rest(_QUIET_S if len(steps) > 1 else _SHORT_QUIET_S)
            if self.trial.scene.fleet.needing_a_human:
                break
        return self.trial.finish(is_orderly=self.trial.scene.random.random() < 0.5)

    def _harm(self, steps: Sequence[Step]) -> None:
        begun_s = monotonic_s()
        makers = {entry.name: entry.make for entry in self.entries}
        for step in steps:
            while monotonic_s() - begun_s < step.at_s or len(self._active) >= _MOST_AT_ONCE:
                self._heal_due()
                self.trial.calm(_TURN_S)
            if monotonic_s() - begun_s > ROUND_S or self.trial.scene.fleet.needing_a_human:
                return  # the rest of the schedule has no time left: some faults take theirs
            self._inject(makers[step.fault](), step.hold_s)
        while monotonic_s() - begun_s < ROUND_S and self._active:
            self._heal_due()
            self.trial.calm(_TURN_S)

    def _rest(self, quiet_s: float) -> None:
        """Heal everything, see that the service recovers, and leave it alone for a while."""
        for one in list(self._active):
            self._heal(one)
        self._heal_all()
        recovery = self.trial.watch(QUIET, self.trial.scene.timeline.at_s)
        self.trial.await_recovery(recovery)
        self.trial.scene.timeline.note("recovered", **recovery.summary)
        self.trial.calm(quiet_s)

    def _heal_all(self) -> None:
        for turn in range(1, _TRIES + 1):
            try:
                self.trial.heal_all()
            except Exception as exc:
                if turn == _TRIES:
                    raise
                self.trial.scene.timeline.note("not-healed", fault=QUIET, why=_text(exc))
            else:
                return

    def _inject(self, fault: Fault, hold_s: float) -> None:
        """A fault that cannot be done as things stand (its node is down already) is left out."""
        timeline = self.trial.scene.timeline
        one = _Active(fault, timeline.at_s, until_s=0.0)
        self._active.append(one)
        try:
            self.trial.inject(fault)
        except NothingToHarm as exc:
            self._active.remove(one)
            timeline.note("not-injected", fault=fault.name, why=str(exc))
        except Exception as exc:
            timeline.note("not-injected", fault=fault.name, why=_text(exc))
        else:
            one.is_injected = True
            one.until_s = monotonic_s() + hold_s

    def _heal_due(self) -> None:
        for one in [one for one in self._active if monotonic_s() >= one.until_s]:
            self._heal(one)

    def _heal(self, one: _Active) -> None:
        """Undo it; of one that came half-way there is no recovery to watch."""
        self._active.remove(one)
        try:
            if one.is_injected:
                self.trial.heal(one.fault, one.injected_s)
            else:
                one.fault.heal(self.trial.scene)
        except Exception as exc:
            self.trial.scene.timeline.note("not-healed", fault=one.fault.name, why=_text(exc))


def _round(chance: random.Random, entries: Sequence[Entry]) -> list[Step]:
    steps, at_s = [], 0.0
    while True:
        at_s += chance.uniform(_SHORTEST_GAP_S, _LONGEST_GAP_S)
        if at_s > ROUND_S:
            return steps
        (entry,) = chance.choices(entries, [one.weight for one in entries])
        steps.append(_step(chance, round(at_s, 2), entry))


def _step(chance: random.Random, at_s: float, entry: Entry) -> Step:
    hold_s = getattr(entry.make(), "hold_s", None)
    drawn_s = chance.uniform(_SHORTEST_HOLD_S, _LONGEST_HOLD_S)
    return Step(at_s, entry.name, round(drawn_s if hold_s is None else hold_s, 2))


def _text(exc: Any) -> str:
    return f"{type(exc).__name__}: {exc}"[:200]
