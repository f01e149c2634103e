"""What is run, in which order: everything, or the few minutes that guard against regressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase

from tests.benchmarks.environments import PeerUnavailable
from tests.benchmarks.field import BARE, OURS, System
from tests.benchmarks.latency import measure_latency
from tests.benchmarks.ours.profile import STEPS
from tests.benchmarks.recovery import measure_recovery
from tests.benchmarks.results import Results
from tests.benchmarks.stopwatch import ProgramFailed
from tests.benchmarks.trial import (
    Filled,
    Place,
    Trial,
    emit_trial,
    filled,
    fold_trial,
    plain_trial,
    replay_trial,
)
from tests.benchmarks.workload import Workload

MILLION = 1_000_000
_NO_CHECKPOINTS_S = 1e6
_OFTEN_S = 2.0
_FANS = 10 * MILLION
_LATENCY_S = 60

Say = Callable[[str], None]


class Programme:
    """Runs trials at one place and keeps what they found.

    `only` limits it to jobs whose names match that pattern; `rounds` is the most runs of one trial.
    A system that fails is noted and left out: the rest goes on.
    """

    def __init__(self, place: Place, field: Sequence[System], only: str, rounds: int, say: Say):
        self.results = Results()
        self._place = place
        self._field = field
        self._only = only
        self._rounds = rounds
        self._say = say

    def full(self) -> None:
        """Every job, every system, 5 M events; and once with 1 M, a size often quoted.

        Latency comes when the broker has worked for some minutes: a JVM just started is slower.
        """
        self._recovery(MILLION)
        self._emit(MILLION)
        self._latency()
        for count, suffix in ((5 * MILLION, ""), (MILLION, " at 1 M")):
            jobs = self._wanted([f"{job}{suffix}" for job in ("members", "count", "replay")])
            if jobs:
                given = self._filled(Workload(count=count))
                for job in jobs:
                    self._race(given, job, self._field)
                if "members" in jobs:
                    self._profile(given)
                    self._checkpoints(given)
        self._shapes(5 * MILLION)

    def quick(self) -> None:
        """The jobs that need no peer but the plain ones, on 1 M events; under three minutes."""
        field = [one for one in self._field if one.is_in_quick]
        given = self._filled(Workload(count=MILLION))
        for job in self._wanted(["members", "count", "replay"]):
            self._race(given, job, field)
        self._emit(MILLION // 5)
        self._latency([200], 5)

    def _race(self, given: Filled, job: str, field: Sequence[System]) -> None:
        """All systems that can do the job, in turns, so that no one gets the quiet minutes."""
        kind = job.partition(" ")[0]
        is_long = given.workload.count > MILLION
        able = [one for one in field if kind in one.jobs and (one.is_in_long or not is_long)]
        if kind == "replay":
            self.results.failures[job] |= {
                one.name: one.no_replay for one in field if one.no_replay
            }
        for turn in range(self._rounds if is_long or self._rounds == 1 else 1):
            for system in able:
                if turn < system.rounds and system.name not in self.results.failures[job]:
                    self._one(given, job, kind, system)

    def _one(self, given: Filled, job: str, kind: str, system: System) -> None:
        most = system.most_events
        if most is not None and most < given.workload.count:
            given = self._shortened(most)
        with self._noting(job, system):
            if system.name == BARE:
                trial = plain_trial(given, system)
            elif kind == "replay":
                trial = replay_trial(given, system)
            else:
                trial = fold_trial(given, system, kind)
            self._keep(job, system, trial)

    def _emit(self, events: int) -> None:
        able = [one for one in self._field if "emit" in one.jobs]
        for _ in range(self._rounds if self._wanted(["emit"]) else 0):
            for system in able:
                with self._noting("emit", system):
                    self._keep("emit", system, emit_trial(self._place, system, events))

    def _profile(self, given: Filled) -> None:
        ours = self._ours()
        with self._noting("profile", ours):
            trial = fold_trial(given, ours, "members", {"is_profiled": True})
            found = trial.measured.facts["profile"]
            self.results.profile_s = {step: found.get(step, 0.0) for step in STEPS}

    def _checkpoints(self, given: Filled) -> None:
        for _ in range(self._rounds):
            for name, interval_s in (
                ("members, no checkpoints", _NO_CHECKPOINTS_S),
                ("members, checkpoints every 2 s", _OFTEN_S),
            ):
                self._ours_with(given, name, {"checkpoint_interval_s": interval_s})

    def _shapes(self, count: int) -> None:
        """Other mixes of keys, ours alone."""
        shapes = {
            "members, uniform": Workload(count=count, shape="uniform"),
            "members, half": Workload(count=count, shape="half"),
            "members, fans": Workload(count=count, shape="fans", before=_FANS),
            "members, 1 M keys": Workload(count=MILLION, shape="keys"),
            "members, 5 M keys": Workload(count=5 * MILLION, shape="keys"),
        }
        for name in self._wanted(list(shapes)):
            given = self._filled(shapes[name])
            for _ in range(self._rounds):
                self._ours_with(given, name, {})

    def _ours_with(self, given: Filled, name: str, options: dict[str, float]) -> None:
        ours = self._ours()
        with self._noting(name, ours):
            self._keep(name, ours, fold_trial(given, ours, "members", options))

    def _latency(self, intervals_ms: Sequence[int] = (200, 50, 10), seconds: int = _LATENCY_S):
        for interval_ms in intervals_ms if self._wanted(["latency"]) else ():
            found = measure_latency(self._place, interval_ms, seconds)
            self.results.latencies.append(found)
            self._say(f"latency, commits every {interval_ms} ms: p99 {found.p99:.0f} ms")

    def _recovery(self, keys: int) -> None:
        for has_state in (True, False) if self._wanted(["recover"]) else ():
            for _ in range(self._rounds if has_state else 1):
                given = self._filled(Workload(count=keys, shape="keys"))
                found = measure_recovery(given, has_state=has_state)
                self.results.recoveries.append(found)
                host = "same" if has_state else "other"
                self._say(f"recover, {host} host: {found.seconds:.1f} s")

    def _filled(self, workload: Workload) -> Filled:
        self._say(f"filling a topic with {workload.total:,} events ({workload.shape})")
        return filled(self._place, workload)

    def _shortened(self, count: int) -> Filled:
        """A topic with fewer events, filled once."""
        if not hasattr(self, "_short"):
            self._short = self._filled(Workload(count=count))
        return self._short

    def _ours(self) -> System:
        return next(one for one in self._field if one.name == OURS and "members" in one.jobs)

    def _wanted(self, jobs: list[str]) -> list[str]:
        return [job for job in jobs if fnmatchcase(job, self._only)]

    def _keep(self, job: str, system: System, trial: Trial) -> None:
        self.results.trials[job][system.name].append(trial)
        answer = "right" if trial.wrong == 0 else f"{trial.wrong} WRONG"
        self._say(f"{job}, {system.name}: {trial.events_per_s:,.0f} events/s, {answer}")

    @contextmanager
    def _noting(self, job: str, system: System) -> Iterator[None]:
        """A system that cannot be had or fails gets its reason instead of a figure."""
        try:
            yield
        except (ProgramFailed, PeerUnavailable) as exc:
            self.results.failures[job][system.name] = str(exc).splitlines()[-1]
            self._say(f"{job}, {system.name}: {exc}")
