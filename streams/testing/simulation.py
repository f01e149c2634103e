"""Puts a service under simulated crashes, duplicates, rebalances and zombies, without a broker.

1. Its folds are audited: one log, folded in several ways, must give one answer.
2. It is run in schedules drawn from a seed: workers on hosts, over a log in memory, with the very
   code that runs in production. Each commit is held against a plain fold of the log, and so is each
   checkpoint; at the end everything is made again from the log.
3. What goes wrong is made smaller, and told: what was expected, what happened, and a test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from streams.clock import monotonic_s
from streams.errors import InputError
from streams.events.message import Message
from streams.fold.service import Service
from streams.testing.audited import audited
from streams.testing.case import Case, records_of, shrunk
from streams.testing.report import Report, told_audit, told_case
from streams.testing.schedule import Schedule

SCHEDULES: Final = 50
"""How many schedules one call plays, unless told otherwise."""

_STEPS: Final = 50


class SimulationFailed(AssertionError):
    """A service did not survive its simulation; the text says what, when, why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What became of a service: `schedules` were played in `took_s`.

    As a text it is the report of what was wrong, or a line that says that nothing was.
    """

    service: str
    seed: int
    schedules: int
    took_s: float
    report: Report | None

    @property
    def test(self) -> str:
        """Python that fails in the same way; empty when nothing was wrong."""
        return self.report.test if self.report else ""

    def check(self) -> None:
        """Return when all was right; raises SimulationFailed with the report otherwise."""
        if self.report is not None:
            raise SimulationFailed(self.report.text)

    def __str__(self) -> str:
        if self.report is not None:
            return self.report.text
        a_minute = 60 * self.schedules / max(self.took_s, 1e-9)
        return (
            f"{self.service}: {self.schedules:,} schedules, nothing wrong (seed {self.seed}; "
            f"{a_minute:,.0f} schedules a minute)"
        )


def simulate(
    service: Service,
    events: Iterable[Message],
    *,
    seed: int = 0,
    schedules: int = SCHEDULES,
    schedule: str | None = None,
    duplicates: bool = True,
    may_park: bool = False,
) -> Simulation:
    """Run a service under crashes, duplicates, rebalances and zombies; `.check()` raises.

        def test_likes_survive_anything() -> None:
            events = [PhotoLiked(user_id=user, photo_id=5, owner_id=9) for user in (1, 2, 1)]
            simulate(SERVICE, events, seed=7).check()

    `events` arrive in their order. Each of `schedules` is drawn from `seed`, so that a run can be
    repeated; `schedule` plays one that was printed instead. `duplicates=False` is for a service
    that counts every delivery of an event; `may_park=True` for handlers that raise on purpose.

    Raises InputError for what is no service, events that it does not read, no events at all, or a
    text that is no schedule; SchemaMismatch for an event that does not fit its schema.
    """
    if not isinstance(service, Service):
        raise InputError(f"found {service!r}, wanted a Service")
    case = Case(
        service=service,
        events=tuple(events),
        schedule=Schedule.parse(schedule or ""),
        duplicates=duplicates,
        may_park=may_park,
    )
    records_of(service, case.events)
    if schedules < 1 or (schedule is None and not case.events):
        found = f"{len(case.events)} events and {schedules} schedules"
        raise InputError(f"found {found}, wanted one or more of each")
    started_s = monotonic_s()
    played, report = 0, _audited(case, seed)
    if report is None:
        played, report = _drawn(case, seed, schedules) if schedule is None else (1, _played(case))
    took_s = monotonic_s() - started_s
    return Simulation(
        service=service.name, seed=seed, schedules=played, took_s=took_s, report=report
    )


def _audited(case: Case, seed: int) -> Report | None:
    audit = audited(case)
    return None if audit is None else told_audit(audit, seed)


def _drawn(given: Case, seed: int, schedules: int) -> tuple[int, Report | None]:
    """How many schedules were played, and the report of the last one if something was wrong."""
    for number in range(1, schedules + 1):
        random = Random(f"{given.service.name}/{seed}/{number}")  # noqa: S311 it can be repeated
        case, finding = given.drawn(random, _STEPS)
        if finding is not None:
            smaller = shrunk(case, finding.kind)
            return number, told_case(smaller, finding, f"seed {seed}, schedule {number}")
    return schedules, None


def _played(case: Case) -> Report | None:
    finding = case.play()
    return None if finding is None else told_case(case, finding, "the given schedule")
