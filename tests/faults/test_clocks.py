"""Exactly once when clocks of workers jump. Kafka's own stay: with libfaketime no Java starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from streams.clock import Deadline
from streams.local.process import wait_until
from tests.faults.faketime import FakeClock, why_no_faketime
from tests.faults.faults.clocks import HOUR_S, JumpClock
from tests.faults.trial import Plan, Trial

RECOVERS_WITHIN_S = 30.0

pytestmark = pytest.mark.skipif(bool(why_no_faketime()), reason=why_no_faketime())

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])

TELL = """
import sys, time
for _ in sys.stdin:
    print(time.time_ns(), time.monotonic_ns(), flush=True)
"""


def crashes(trial):
    return [one for one in trial.scene.fleet.ended if not one.is_wanted]


def test_a_process_sees_its_wall_clock_jump_and_no_other_clock(tmp_path):
    """Else the trials below would try nothing."""
    clock = FakeClock(tmp_path / "clock")
    with subprocess.Popen(
        [sys.executable, "-c", TELL],
        env={**os.environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ahead_s():
            """Of our wall clock and of our other one."""
            process.stdin.write("\n")
            process.stdin.flush()
            wall_ns, monotonic_ns = map(int, process.stdout.readline().split())
            found = (wall_ns - time.time_ns(), monotonic_ns - time.monotonic_ns())
            return tuple(round(one / 1e9 / HOUR_S) for one in found)

        seen = [ahead_s()]
        for offset_s in (HOUR_S, -HOUR_S):
            clock.jump(offset_s)
            wait_until(lambda before=seen[-1]: ahead_s() != before, Deadline.after(20))
            seen.append(ahead_s())
        process.stdin.close()

    assert [(0, 0), (1, 0), (-1, 0)] == seen


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.chaos
@BOTH_PROTOCOLS
@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])
@pytest.mark.parametrize("is_everybodys", [False, True], ids=["one", "all"])
def test_workers_whose_clocks_jump_change_nothing(
    cluster, tmp_path, protocol, offset_s, is_everybodys
):
    """Nothing that is decided by time is decided by the wall clock."""
    with Trial(cluster, tmp_path, Plan(seed=41, protocol=protocol)) as trial:
        trial.strike(JumpClock(offset_s, is_everybodys=is_everybodys))
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert 1 == trial.scene.timeline.count("jumped")
    assert [] == crashes(trial)
    assert trial.slowest_s <= RECOVERS_WITHIN_S
