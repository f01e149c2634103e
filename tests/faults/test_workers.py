"""Exactly once when workers are harmed."""

from __future__ import annotations

import pytest

from tests.faults.faults.workers import KillWorker
from tests.faults.trial import Plan, Trial

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_killed_workers_change_nothing(cluster, tmp_path, protocol):
    """A kill at any moment is the least that a service must survive."""
    with Trial(cluster, tmp_path, Plan(seed=1, protocol=protocol)) as trial:
        trial.calm(3)
        for _ in range(3):
            trial.strike(KillWorker())
        verdict = trial.finish()

    assert verdict.is_green, verdict
