"""Everything one run of the benchmarks found."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.latency import Latency
from tests.benchmarks.recovery import Recovery
from tests.benchmarks.trial import Trial


@dataclass(slots=True)
class Results:
    """Trials by job and system, and what else was measured.

    A job's name has its size or shape where that is not 5 M popular photos: "members at 1 M".
    `failures` says why a system has no figure.
    """

    trials: dict[str, dict[str, list[Trial]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    failures: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    latencies: list[Latency] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    profile_s: dict[str, float] = field(default_factory=dict)

    def rate(self, job: str, system: str) -> float | None:
        """Median events a second; None without a right answer."""
        return self._median(job, system, "events_per_s")

    def cpu_rate(self, job: str, system: str) -> float | None:
        """Median events for a second on a core."""
        return self._median(job, system, "events_per_cpu_s")

    def ratio(self, job: str, system: str, other: str) -> float | None:
        """How many times as fast `system` is as `other`, by medians of this run."""
        return _over(self.rate(job, system), self.rate(job, other))

    def cpu_ratio(self, job: str, system: str, other: str) -> float | None:
        """The same by events for a second on a core."""
        return _over(self.cpu_rate(job, system), self.cpu_rate(job, other))

    @property
    def wrong(self) -> list[str]:
        """Each job and system that gave a wrong answer, and how wrong."""
        found = [
            f"{job}, {system}: {trial.wrong} of the answers are wrong"
            for job, systems in self.trials.items()
            for system, trials in systems.items()
            for trial in trials
            if trial.wrong
        ]
        missing = [
            f"latency at {one.commit_interval_ms} ms: {one.missing} events got no result"
            for one in self.latencies
            if one.missing
        ]
        return found + missing

    def write(self, path: Path) -> None:
        """Write job → system → figures as JSON."""
        path.write_text(json.dumps(self._plain(), indent=2) + "\n", encoding="utf-8")

    def _plain(self) -> dict[str, Any]:
        return {
            job: {system: _plain(trials) for system, trials in systems.items()}
            for job, systems in self.trials.items()
        }

    def _median(self, job: str, system: str, figure: str) -> float | None:
        trials = self.trials.get(job, {}).get(system, [])
        if not trials or any(trial.wrong for trial in trials):
            return None
        return median(getattr(trial, figure) for trial in trials)


def _over(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other


def _plain(trials: list[Trial]) -> dict[str, Any]:
    broker = [one.measured.broker_cpu_s for one in trials if one.measured.broker_cpu_s is not None]
    return {
        "events": trials[0].events,
        "runs": len(trials),
        "events_per_s": round(median(one.events_per_s for one in trials)),
        "best_events_per_s": round(max(one.events_per_s for one in trials)),
        "cpu_s": round(median(one.measured.cpu_s for one in trials), 2),
        "rss_mb": round(max(one.measured.rss_mb for one in trials)),
        "broker_cpu_s": round(median(broker), 2) if broker else None,
        "correct": not any(one.wrong for one in trials),
    }
