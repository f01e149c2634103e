"""Exactly once across deploys of another version of a fold, and back."""

from __future__ import annotations

import pytest

from tests.faults.faults.deploys import FullDeploy, RollingDeploy
from tests.faults.faults.stores import StaleStores
from tests.faults.trial import Plan, Trial

RECOVERS_WITHIN_S = 30.0

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.slow]

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])


@BOTH_PROTOCOLS
@pytest.mark.parametrize("workers", [2, 4])
def test_a_rolling_deploy_of_another_version_is_refused_and_taken_back(
    cluster, tmp_path, protocol, workers
):
    """Old and new workers are in one group for a while; new ones touch no state of the old."""
    plan = Plan(seed=31, protocol=protocol, workers=workers, hosts=workers // 2)
    with Trial(cluster, tmp_path, plan) as trial:
        trial.calm(3)
        for _ in range(2):
            trial.strike(RollingDeploy())
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert 2 * workers == trial.scene.timeline.count("refused")
    assert trial.slowest_s <= RECOVERS_WITHIN_S


@BOTH_PROTOCOLS
@pytest.mark.parametrize("hosts", [1, 2])
def test_a_deploy_of_another_version_folds_again_what_it_is_told_to(
    cluster, tmp_path, protocol, hosts
):
    """There and back; then stores are restored that are older than both."""
    deploy, backup = FullDeploy(), StaleStores()
    with Trial(cluster, tmp_path, Plan(seed=32, protocol=protocol, hosts=hosts)) as trial:
        trial.calm(3)
        begun_s = trial.scene.timeline.at_s
        trial.inject(backup)
        trial.await_recovery(trial.watch(backup.name, begun_s))
        trial.strike(deploy)
        trial.await_recovery(trial.heal(backup, begun_s))
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert ["state reset counters --topic counters.contributions"] * 2 == deploy.obeyed
    assert trial.slowest_s <= RECOVERS_WITHIN_S
