"""Exactly once when workers are harmed: one short trial always, one for each kind when asked."""

from __future__ import annotations

import pytest

from tests.faults.crash_points import Point
from tests.faults.faults.membership import RebalanceStorm
from tests.faults.faults.workers import (
    FreezeWorker,
    KillAllWorkers,
    KillAt,
    KillWorker,
    OutOfMemory,
    StarveWorker,
    TerminateWorker,
)
from tests.faults.trial import Plan, Trial

RECOVERS_WITHIN_S = 30.0
RECOVERS_FROM_A_KILL_WITHIN_S = 15.0

STORM_S = 180.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])


def test_workers_killed_and_frozen_change_nothing(cluster, tmp_path):
    """Kills where a transaction is half done, then a zombie that comes back from its own host."""
    struck = (Point.AFTER_PRODUCE, Point.AFTER_SEND_OFFSETS, Point.INSIDE_COMMIT)
    saved = (Point.AFTER_COMMIT, Point.INSIDE_CHECKPOINT)
    with Trial(cluster, tmp_path, Plan(seed=1, hosts=3)) as trial:
        for point in (*struck, *saved):
            trial.harm(KillAt(point))
        trial.strike(FreezeWorker())
        trial.strike(TerminateWorker())
        verdict = trial.finish(is_orderly=False)

    timeline = trial.scene.timeline
    assert verdict.is_green, verdict
    assert len(struck) + len(saved) == timeline.count("struck")
    assert 0 == timeline.count("not-orderly")
    assert trial.slowest_s <= RECOVERS_WITHIN_S


@pytest.mark.chaos
@BOTH_PROTOCOLS
def test_workers_killed_at_any_point_change_nothing(cluster, tmp_path, protocol):
    """Each gap between two steps is one that a crash falls into some day."""
    with Trial(cluster, tmp_path, Plan(seed=2, protocol=protocol)) as trial:
        for point in Point:
            trial.strike(KillAt(point))
        trial.strike(KillWorker())
        trial.strike(KillAllWorkers())
        verdict = trial.finish(is_orderly=False)

    assert verdict.is_green, verdict
    assert len(Point) == trial.scene.timeline.count("struck")
    assert trial.slowest_s <= RECOVERS_FROM_A_KILL_WITHIN_S


@pytest.mark.chaos
@BOTH_PROTOCOLS
@pytest.mark.parametrize("hosts", [1, 3])
def test_zombies_change_nothing(cluster, tmp_path, protocol, hosts):
    """A worker that stood still for longer than its session still believes that it owns."""
    with Trial(cluster, tmp_path, Plan(seed=3, protocol=protocol, hosts=hosts)) as trial:
        trial.strike(FreezeWorker())
        trial.strike(FreezeWorker(), hold_s=30)
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert trial.slowest_s <= RECOVERS_WITHIN_S


@pytest.mark.chaos
@BOTH_PROTOCOLS
@pytest.mark.parametrize("hosts", [1, 3])
def test_a_storm_of_rebalances_changes_nothing(cluster, tmp_path, protocol, hosts):
    """Also while others recover; with a host each they recover from the log's start."""
    plan = Plan(seed=4, protocol=protocol, workers=4, hosts=hosts)
    with Trial(cluster, tmp_path, plan) as trial:
        trial.strike(RebalanceStorm(), hold_s=STORM_S)
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert trial.slowest_s <= RECOVERS_WITHIN_S


@pytest.mark.chaos
@BOTH_PROTOCOLS
def test_workers_short_of_anything_change_nothing(cluster, tmp_path, protocol):
    """No memory is a kill, little time is a long pause, SIGTERM is an orderly end under load."""
    with Trial(cluster, tmp_path, Plan(seed=5, protocol=protocol)) as trial:
        trial.strike(OutOfMemory())
        trial.strike(StarveWorker())
        trial.strike(TerminateWorker())
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert 0 == trial.scene.timeline.count("not-orderly")
    assert trial.slowest_s <= RECOVERS_WITHIN_S
