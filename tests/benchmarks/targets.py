"""What we want to reach, and whether a run reached it. Ratios are of medians of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from tests.benchmarks import field
from tests.benchmarks.field import OURS
from tests.benchmarks.results import Results

SAME_HOST_S = 10.0
LATENCY_OVER_COMMIT_MS = 60.0

Find = Callable[[Results], float | None]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of a job and the bound it has to keep. `found` is None when it was not measured."""

    job: str
    says: str
    bound: float
    find: Find
    is_most: bool = False

    def is_met(self, found: float) -> bool:
        """Whether the figure keeps the bound."""
        return found <= self.bound if self.is_most else found >= self.bound


def targets() -> list[Target]:
    """All of them, in the order of the jobs."""
    return [
        *_against_peers(),
        Target("members", "checkpoints every 2 s: share of the rate without", 0.85, _checkpoints),
        Target("emit", "x AvroSerializer + produce", 1.5, _ratio("emit", OURS, field.SERIALIZER)),
        Target(
            "emit_many",
            "x AvroSerializer + produce",
            2.0,
            _ratio("emit", field.OURS_MANY, field.SERIALIZER),
        ),
        Target(
            "emit",
            "with ids given by the client, x AvroSerializer + produce",
            1.5,
            _ratio("emit", OURS + field.STAMPING, field.SERIALIZER),
        ),
        Target("replay", "x bare consume", 0.55, _ratio("replay", OURS, field.BARE)),
        Target("replay", "x our live rate", 1.2, _replay_over_live),
        *(
            Target(
                "latency", f"p99 ms at {ms} ms commits", ms + LATENCY_OVER_COMMIT_MS, _p99(ms), True
            )
            for ms in (200, 50, 10)
        ),
        Target("recover", "s to caught up, same host", SAME_HOST_S, _recovery, True),
        Target("growth", "5 M keys: share of the rate at 1 M", 0.8, _growth),
        Target("hot key", "half on one photo: share of the uniform rate", 0.7, _hot("half")),
        Target("hot key", "with 10 M fans before: share of the uniform rate", 0.7, _hot("fans")),
    ]


def _against_peers() -> list[Target]:
    documented = field.STREAMS_AS_DOCUMENTED
    return [
        Target("members", "x bare consume", 0.4, _ratio("members", OURS, field.BARE)),
        Target("members", "x Kafka Streams, documented", 8, _ratio("members", OURS, documented)),
        Target("members", "x Kafka Streams, fastest", 3.5, _over_fastest("members")),
        Target("members", "x Quix Streams", 15, _ratio("members", OURS, field.QUIX)),
        Target("members", "x Faust", 200, _ratio("members", OURS, field.FAUST)),
        Target("count", "x Kafka Streams, fastest", 1.6, _over_fastest("count")),
        Target("count", "x Quix Streams", 15, _ratio("count", OURS, field.QUIX)),
        Target("members", "x Kafka Streams, fastest, by CPU", 4, _over_leanest),
        Target(
            "members",
            "x Quix Streams, by CPU",
            12,
            lambda results: results.cpu_ratio("members", OURS, field.QUIX),
        ),
    ]


def _ratio(job: str, system: str, other: str) -> Find:
    return lambda results: results.ratio(job, system, other)


def _over_fastest(job: str) -> Find:
    """Ours over the best of Kafka Streams' settings in this run, whichever it was."""
    return lambda results: _closest(
        lambda name: results.ratio(job, OURS, name), results.trials.get(job, {})
    )


def _over_leanest(results: Results) -> float | None:
    found = results.trials.get("members", {})
    return _closest(lambda name: results.cpu_ratio("members", OURS, name), found)


def _closest(ratio: Callable[[str], float | None], names: Iterable[str]) -> float | None:
    ratios = [ratio(name) for name in names if name.startswith(field.STREAMS)]
    return min((one for one in ratios if one is not None), default=None)


def _over(job: str, base: str) -> Find:
    def find(results: Results) -> float | None:
        one, other = results.rate(job, OURS), results.rate(base, OURS)
        return None if one is None or other is None else one / other

    return find


_checkpoints = _over("members, checkpoints every 2 s", "members, no checkpoints")
_growth = _over("members, 5 M keys", "members, 1 M keys")
_replay_over_live = _over("replay", "members")


def _hot(shape: str) -> Find:
    return _over(f"members, {shape}", "members, uniform")


def _p99(commit_interval_ms: int) -> Find:
    def find(results: Results) -> float | None:
        for one in results.latencies:
            if one.commit_interval_ms == commit_interval_ms:
                return one.p99
        return None

    return find


def _recovery(results: Results) -> float | None:
    taken = [one.seconds for one in results.recoveries if one.has_state]
    return median(taken) if taken else None
