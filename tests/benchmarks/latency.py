"""From emit to a result that any consumer of committed records can see, at a steady rate.

Each event has a photo of its own, so each result says which event it answers.
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.field import own
from tests.benchmarks.trial import Place
from tests.benchmarks.workload import make_topics

RATE = 2_000
"""Events a second."""

_WARM_UP_S = 3
_ENDLESS = 10**12
_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of `events` events; `missing` is how many never got a result."""

    commit_interval_ms: int
    events: int
    missing: int
    p50: float
    p99: float
    p999: float


def measure_latency(place: Place, commit_interval_ms: int, seconds: int) -> Latency:
    """Run a worker, an emitter at RATE and a tap on the results for `seconds`, after a warm-up."""
    place = place.fresh("latency")
    make_topics(place.kafka)
    events = RATE * seconds
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        options = {
            "bootstrap": place.bootstrap,
            "namespace": place.kafka.namespace,
            "group": "latency",
            "job": "count",
            "events": events,
            "before": 0,
            "home": home,
            "rate": RATE,
            "warm_up_s": _WARM_UP_S,
            "commit_interval_s": commit_interval_ms / 1_000,
        }
        worker = subprocess.Popen(
            [*own("fold"), json.dumps(options | {"events": _ENDLESS})],
            stdout=subprocess.DEVNULL,
            text=True,
        )
        try:
            tap = subprocess.run(
                [*own("latency"), json.dumps(options)],
                stdout=subprocess.PIPE,
                text=True,
                timeout=_TIMEOUT_S + seconds,
                check=True,
            )
        finally:
            worker.terminate()
            worker.wait()
    return _summary(json.loads(tap.stdout), commit_interval_ms)


def _summary(took_ms: Sequence[float | None], commit_interval_ms: int) -> Latency:
    seen = sorted(took for took in took_ms if took is not None)
    if not seen:
        raise RuntimeError("no event got a result")
    return Latency(
        commit_interval_ms=commit_interval_ms,
        events=len(took_ms),
        missing=len(took_ms) - len(seen),
        p50=percentile(seen, 50),
        p99=percentile(seen, 99),
        p999=percentile(seen, 99.9),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
