"""Exactly once whatever becomes of local state: what is not as it was saved is made again."""

from __future__ import annotations

import pytest

from streams.engine.process import TRY_AGAIN
from tests.faults.faults.stores import (
    DamagedStores,
    FlippedAtWork,
    FullDisk,
    LostStores,
    StaleStores,
)
from tests.faults.small_disk import can_mount
from tests.faults.trial import Plan, Trial

RECOVERS_WITHIN_S = 30.0

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.slow]

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])


@BOTH_PROTOCOLS
@pytest.mark.parametrize("hosts", [1, 2])
def test_damage_to_stores_changes_nothing(cluster, tmp_path, protocol, hosts):
    """Some of it is met at once, some by a read much later, some by nobody."""
    with Trial(cluster, tmp_path, Plan(seed=23, protocol=protocol, hosts=hosts)) as trial:
        for _ in range(4):
            trial.calm(3)
            trial.strike(DamagedStores())
        trial.strike(FlippedAtWork())
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert trial.slowest_s <= RECOVERS_WITHIN_S


@BOTH_PROTOCOLS
@pytest.mark.parametrize("hosts", [1, 2])
def test_lost_and_old_stores_change_nothing(cluster, tmp_path, protocol, hosts):
    """A copy that is put back is an older checkpoint: what came since is folded in silence."""
    with Trial(cluster, tmp_path, Plan(seed=24, protocol=protocol, hosts=hosts)) as trial:
        trial.calm(3)
        trial.strike(LostStores())
        trial.strike(StaleStores())
        trial.strike(LostStores(at_work=True))
        trial.strike(StaleStores())
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert trial.slowest_s <= RECOVERS_WITHIN_S


@BOTH_PROTOCOLS
def test_a_full_disk_changes_nothing(cluster, tmp_path, protocol):
    """Workers die of it and come back; what they commit is right in the meantime, and after."""
    if not can_mount(tmp_path):
        pytest.skip("no disk of its own for the state: only root may mount one")
    plan = Plan(seed=25, protocol=protocol, per_s=400)
    with Trial(cluster, tmp_path, plan) as trial:
        trial.calm(3)
        trial.strike(FullDisk())
        trial.strike(FullDisk(), hold_s=20)
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert TRY_AGAIN in {one.code for one in trial.scene.fleet.ended}
    assert trial.slowest_s <= RECOVERS_WITHIN_S
