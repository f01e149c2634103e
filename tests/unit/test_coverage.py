"""Whether the workers of a run have opened all there is, told from their status files."""

from __future__ import annotations

import pytest

from streams.engine import coverage as coverage_module
from streams.engine.coverage import ELSEWHERE_S, Coverage
from streams.engine.status import WorkerStatus, write_status
from streams.ports.records import TopicPartition

HERE, OTHER = 100, 200
PARTITIONS = [TopicPartition("t", 0), TopicPartition("t", 1)]


@pytest.fixture
def clock(monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(coverage_module, "monotonic_s", lambda: now[0])
    return now


@pytest.fixture
def tell(tmp_path):
    """Writes what a worker says of itself."""

    def write(slot, *partitions, **changes):
        said = {"pid": slot + 1, "state": "live", "updated_us": 50, "supervisor": HERE} | changes
        status = WorkerStatus(slot=slot, partitions=list(partitions), http=0, **said)
        write_status(tmp_path, "bench", status)

    return write


@pytest.fixture
def cover(tmp_path, clock):
    return lambda workers=1: Coverage(tmp_path, "bench", workers=workers, supervisor=HERE)


def test_workers_that_own_everything_cover_it(cover, tell):
    """However it is shared among them."""
    tell(0, "t/0")
    tell(1, "t/1")

    assert cover(workers=2).is_complete(PARTITIONS, since_us=50)


def test_nothing_is_covered_before_a_worker_has_said_so(cover):
    """It may be about to refuse."""
    assert not cover().is_complete(PARTITIONS, since_us=0)


@pytest.mark.parametrize(
    "said",
    [
        {"state": "starting"},
        {"state": "restoring"},
        {"updated_us": 49},
        {"supervisor": OTHER},
    ],
    ids=str,
)
def test_a_worker_counts_once_it_is_live_in_this_run_and_said_so_since(cover, tell, said):
    """What folds again in silence may still raise, and another run has other code."""
    tell(0, "t/0", "t/1", **said)

    assert not cover().is_complete(PARTITIONS, since_us=50)


def test_a_worker_that_is_missing_keeps_it_open(cover, tell):
    """It may be the one that refuses."""
    tell(0, "t/0", "t/1")

    assert not cover(workers=2).is_complete(PARTITIONS, since_us=50)


def test_a_partition_that_nobody_opened_is_waited_for(cover, tell, clock):
    """A group may give a worker nothing at first."""
    tell(0, "t/0")
    coverage = cover()

    before = coverage.is_complete(PARTITIONS, since_us=50)
    clock[0] += ELSEWHERE_S - 1
    later = coverage.is_complete(PARTITIONS, since_us=50)

    assert (False, False) == (before, later)


def test_what_stays_with_workers_elsewhere_is_theirs(cover, tell, clock):
    """Else a run beside another machine's would never end."""
    tell(0, "t/0")
    coverage = cover()
    coverage.is_complete(PARTITIONS, since_us=50)
    clock[0] += ELSEWHERE_S

    assert coverage.is_complete(PARTITIONS, since_us=50)


def test_a_worker_that_starts_again_starts_the_patience_again(cover, tell, clock):
    """Its partitions are handed out anew."""
    tell(0, "t/0")
    coverage = cover()
    coverage.is_complete(PARTITIONS, since_us=50)
    tell(0, state="starting")
    coverage.is_complete(PARTITIONS, since_us=50)
    clock[0] += ELSEWHERE_S
    tell(0, "t/0")

    assert not coverage.is_complete(PARTITIONS, since_us=50)


def test_records_of_workers_that_ended_stay_counted(cover, tell):
    """The line at the end of a run tells of all of it."""
    coverage = cover()
    tell(0, "t/0", pid=1, folded=5)
    coverage.is_complete(PARTITIONS, since_us=50)
    tell(0, "t/0", "t/1", pid=2, folded=3)
    coverage.is_complete(PARTITIONS, since_us=50)

    assert 8 == coverage.folded
