"""The engine as a state machine: whatever happens next, what is committed is a fold of the log.

Hypothesis draws the steps and makes a failing run smaller; `streams.testing` has the worlds. Every
call that a worker makes to the log or to its disk is a place to stand, fail or die.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from streams.testing.case import Case, records_of
from streams.testing.schedule import Schedule, Setup
from streams.testing.settlement import settle
from streams.testing.world import World
from tests.unit.planted import EVENTS, PLANTED, SERVICE

SETTINGS = settings(
    max_examples=120,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
RECORDS = records_of(SERVICE, EVENTS)
SETUPS = st.builds(
    Setup,
    protocol=st.sampled_from(["consumer", "classic"]),
    workers=st.integers(1, 3),
    hosts=st.integers(1, 2),
    poll_records=st.sampled_from([1, 3, 100]),
    cache_entries=st.sampled_from([2, 1_000]),
    commit_interval_s=st.sampled_from([0.002, 0.2]),
    checkpoint_interval_s=st.sampled_from([0.002, 0.05, 10.0]),
)
WORKERS = st.integers(0, 2)


class Engine(RuleBasedStateMachine):
    """Up to three workers on two hosts over one log."""

    def __init__(self):
        super().__init__()
        self.world = None
        self.schedule = None

    @initialize(setup=SETUPS, records=st.integers(0, 6))
    def begin(self, setup, records):
        self.world = World(SERVICE, setup, RECORDS, may_park=True)
        self.schedule = Schedule(setup, ())
        self.do("emit", records)
        self.do("start", 0)

    @rule(records=st.integers(1, 4))
    def emit(self, records):
        self.do("emit", records)

    @rule(worker=WORKERS)
    def start(self, worker):
        self.do("start", worker)

    @rule(worker=WORKERS, calls=st.integers(1, 5))
    def go_on(self, worker, calls):
        self.do("run", worker, calls)

    @rule(worker=WORKERS, calls=st.integers(5, 60))
    def go_far(self, worker, calls):
        self.do("run", worker, calls)

    @rule(worker=WORKERS, what=st.sampled_from(["crash", "stop", "expel", "beat"]))
    def befall(self, worker, what):
        self.do(what, worker)

    @rule(worker=WORKERS, how=st.sampled_from(["fail", "lost", "late", "slow"]))
    def call_badly(self, worker, how):
        self.do(how, worker)

    @rule()
    def deliver(self):
        self.do("deliver")

    @rule()
    def emit_again(self):
        self.do("again")

    @rule(seconds=st.sampled_from([1, 7, 16]))
    def sleep(self, seconds):
        self.do("sleep", seconds)

    @rule(host=st.integers(0, 1))
    def wipe(self, host):
        self.do("wipe", host)

    @invariant()
    def nothing_is_wrong(self):
        if self.world is not None:
            self.judge(self.world.finding)

    def teardown(self):
        if self.world is None:
            return
        try:
            self.judge(settle(self.world))
        finally:
            self.world.close()

    def do(self, *step):
        self.schedule = Schedule(self.schedule.setup, (*self.schedule.steps, step))
        self.world.step(step)

    def judge(self, finding):
        if finding is None:
            return
        case = Case(service=SERVICE, events=tuple(EVENTS), schedule=self.schedule, may_park=True)
        raise AssertionError(f"{finding}\n\n{case.test()}")


def test_the_engine_survives_whatever_happens():
    """Nothing lost, nothing doubled, states like a fold's, and all of it once more from the log."""
    run_state_machine_as_test(Engine, settings=SETTINGS)


@pytest.mark.parametrize("plant", PLANTED[:3], ids=lambda plant: plant.__name__)
def test_the_state_machine_finds_an_error(monkeypatch, plant):
    """What it prints can be pasted."""
    plant(monkeypatch)
    quick = settings(
        SETTINGS,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )

    with pytest.raises(AssertionError) as failed:
        run_state_machine_as_test(Engine, settings=quick)

    names = {}
    exec(failed.value.args[0].partition("\n\n")[2], names)
    with pytest.raises(AssertionError, match="the given schedule"):
        names["test_planted_again"]()
