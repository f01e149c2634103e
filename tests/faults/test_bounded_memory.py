"""A service with far more keys than it may keep in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.clock import monotonic_s
from streams.settings import KafkaSettings, child_environment
from tests.faults.many_keys import ManyKeys, fill, make_topics, published, stored

FIXED_BYTES = 450_000_000
"""What a worker takes beside states: programs, what was fetched ahead, RocksDB's buffers."""

STATE_BYTES = 2_000
"""What a small state takes in memory, with everything that is kept of it between two saves."""

GROWTH = 1.10
LAST_PART = 2 / 5

REPOSITORY = Path(__file__).parents[2]

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A worker's memory while it folded."""

    records: list[int]
    sizes: list[int]
    seconds: float

    @property
    def peak(self) -> int:
        return max(self.sizes)

    @property
    def growth(self) -> float:
        """The most of the last part by what it began with."""
        first = next(at for at, seen in enumerate(self.records) if seen >= self._begin)
        return max(self.sizes[first:]) / self.sizes[first]

    @property
    def _begin(self) -> float:
        return self.records[-1] * (1 - LAST_PART)

    def __str__(self) -> str:
        rate = self.records[-1] / self.seconds
        return (
            f"{self.records[-1]:,} records in {self.seconds:.0f} s ({rate:,.0f}/s), at most "
            f"{self.peak / 1e6:,.0f} MB, growth over the last part {self.growth - 1:+.1%}"
        )


@pytest.mark.parametrize(
    ("keys", "cache_entries"),
    [(300_000, 30_000), pytest.param(5_000_000, 500_000, marks=pytest.mark.chaos)],
)
@pytest.mark.timeout(1_500)
def test_memory_is_bounded_by_the_cache_live_and_in_silent_replay(
    kafka, tmp_path, keys, cache_entries
):
    """Keys come for years; what a worker holds must not grow with them.

    A fifth of all likes finds its photo on disk, so what was forgotten must come back right.
    """
    workload = ManyKeys(keys)
    make_topics(kafka)
    fill(kafka, workload)

    live = weigh(kafka, tmp_path / "live", workload, cache_entries)
    replay = weigh(kafka, tmp_path / "replay", workload, cache_entries)

    print(f"live: {live}\nsilent replay: {replay}")
    limit = FIXED_BYTES + STATE_BYTES * cache_entries
    assert live.peak <= limit
    assert live.growth <= GROWTH
    assert replay.peak <= limit
    assert replay.growth <= GROWTH
    likes = workload.likes()
    assert likes == published(kafka, keys)
    assert likes == stored(kafka, tmp_path / "replay", keys)


def weigh(kafka: KafkaSettings, home: Path, workload: ManyKeys, cache_entries: int) -> Weighed:
    """Run a worker over all events; one with an empty home folds what was folded before."""
    options = {
        "bootstrap": kafka.bootstrap_servers,
        "namespace": kafka.namespace,
        "home": str(home),
        "cache_entries": cache_entries,
        "events": workload.events,
    }
    started_s = monotonic_s()
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.weighed", json.dumps(options)],
        cwd=REPOSITORY,
        env=child_environment({"STREAMS_LOG": "json"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2_000:]
    records, sizes = zip(*json.loads(ended.stdout.splitlines()[-1]), strict=True)
    return Weighed(list(records), list(sizes), monotonic_s() - started_s)
