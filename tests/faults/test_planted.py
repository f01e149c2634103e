"""The checker finds bugs in real runs: a checker that finds none proves nothing."""

from __future__ import annotations

import pytest

from tests.faults.trial import Plan, Trial

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

FOUND_BY = {
    "skip-an-offset-commit": "C12",
    "commit-twice": "C12",
    "drop-an-event": "C9",
    "write-the-store-first": "C9",
    "keep-the-producer": "C12",
}


@pytest.mark.parametrize("bug", sorted(FOUND_BY))
def test_a_planted_bug_is_found(cluster, tmp_path, bug):
    """Each of these has broken exactly once somewhere; the harness must see it in ten seconds."""
    with Trial(cluster, tmp_path, Plan(seed=5, workers=1, bug=bug)) as trial:
        trial.calm(5)
        verdict = trial.finish()

    assert FOUND_BY[bug] in verdict.broken, verdict
