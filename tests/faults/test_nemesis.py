"""A run is told by its seed, kept in its folder, and done again from there."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.faults.__main__ import Run
from tests.faults.faults.registry import FAULTS
from tests.faults.nemesis import ROUND_S, each_of, plan_of, schedule_of
from tests.faults.workload import events_of


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_tells_everything(seed):
    """A red run is worth little when nobody can have it again."""
    once, again = (
        (plan_of(seed, "classic"), schedule_of(seed, 3, FAULTS), list(islice(events_of(seed), 50)))
        for _ in range(2)
    )

    assert once == again


def test_another_seed_is_another_run():
    """Else all runs would try the same."""
    assert schedule_of(1, 1, FAULTS) != schedule_of(2, 1, FAULTS)
    assert list(islice(events_of(1), 50)) != list(islice(events_of(2), 50))


def test_a_run_that_was_kept_is_the_same_run(tmp_path):
    """`make chaos REPLAY=folder` reads what `make chaos` wrote."""
    run = Run(plan_of(3, "consumer"), 3, schedule_of(3, 2, FAULTS))
    run.write(tmp_path / "run.json")

    assert run == Run.read(tmp_path / "run.json")


def test_faults_have_names_of_their_own():
    """A schedule names them."""
    names = [one.name for one in FAULTS]

    assert sorted(set(names)) == sorted(names)


def test_every_round_ends_in_time():
    """The quiet time after it is when recovery is measured."""
    steps = [step for steps in schedule_of(7, 20, FAULTS) for step in steps]

    assert steps
    assert all(0 < step.at_s <= ROUND_S for step in steps)


def test_one_by_one_means_every_fault_once():
    """A fault that is left out has no recovery time of its own."""
    rounds = each_of(7, FAULTS)

    assert all(len(steps) == 1 for steps in rounds)
    assert sorted(one.name for one in FAULTS) == sorted(step.fault for (step,) in rounds)
