"""One worker, one fault, before each of its calls: the log, the group and the disk, in turn."""

from __future__ import annotations

import pytest

from streams.testing.case import Case
from streams.testing.schedule import Schedule, Setup
from tests.unit.planted import EVENTS, SERVICE

CALLS = 90
"""From its start a worker has committed and saved several times after so many."""

SETUP = Setup(workers=2, poll_records=3, commit_interval_s=0.002, checkpoint_interval_s=0.002)


@pytest.mark.parametrize("fault", ["crash", "fail", "lost", "late", "slow", "stop", "expel"])
def test_a_fault_before_any_call_changes_no_answer(fault):
    """Chance may never stand before just that call; here each one is tried."""
    wrong = {}
    for calls in range(1, CALLS):
        steps = [
            *(("emit", 8), ("start", 0), ("run", 0, calls), (fault, 0), ("start", 1)),
            *(("run", 1, 20), ("run", 0, 8), ("deliver",), ("emit", 4), ("run", 0, 20)),
        ]
        schedule = Schedule(SETUP, tuple(steps))
        case = Case(service=SERVICE, events=tuple(EVENTS), schedule=schedule, may_park=True)
        if (finding := case.play()) is not None:
            wrong[calls] = finding

    assert {} == wrong
