"""A run is told by its seed, kept in its folder, and done again from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from itertools import islice
from random import Random
from types import SimpleNamespace

import psutil
import pytest

from streams.clock import Deadline
from streams.local.process import wait_until
from tests.faults.checker.verdict import Verdict
from tests.faults.fault import NothingToHarm
from tests.faults.faults.registry import FAULTS, Entry, possible
from tests.faults.fleet import REPOSITORY
from tests.faults.nemesis import QUIET, ROUND_S, Nemesis, Step, each_of, plan_of, schedule_of
from tests.faults.run import Run
from tests.faults.runs import folder_of
from tests.faults.series import Series, pairs_of
from tests.faults.timeline import Timeline, faults_in
from tests.faults.trial import Recovery
from tests.faults.workload import events_of

INTERRUPTED = 130
BEGUN_WITHIN_S, ENDED_WITHIN_S = 90.0, 60.0


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
    run.write(tmp_path)

    assert run == Run.read(tmp_path)


def test_faults_have_names_of_their_own():
    """A schedule names them."""
    names = [one.name for one in FAULTS]

    assert sorted(set(names)) == sorted(names)


def test_what_cannot_be_done_here_is_left_out_and_said():
    """A schedule that names it would claim a fault that never was."""
    every, here = (possible(FAULTS, nodes)[0] for nodes in (3, 1))
    entry = Entry(FAULTS[0].make, lacks=lambda: "no root")

    assert {"needs 3 nodes"} == set(possible(every, 1)[1].values())
    assert {one.name for one in here} < {one.name for one in every}
    assert ([], {entry.name: "no root"}) == possible([entry], 3)


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


def test_a_series_has_both_protocols():
    """Each has its own bugs."""
    assert [(4, "classic"), (6, "classic"), (7, "classic")] == pairs_of("4,6-7", "classic")
    assert [(4, "consumer"), (4, "classic")] == pairs_of("4", "both")
    assert [(4, "consumer"), (5, "classic"), (6, "consumer")] == pairs_of("4-6", "turns")


def test_a_run_that_breaks_does_not_end_its_series(tmp_path, capsys):
    """Nobody is there at night to start the rest."""
    series = Series(
        pairs=[(4, "classic"), (5, "consumer")],
        into=tmp_path,
        words=["--nodes", "7"],
        is_each=False,
        limit_s=60.0,
    )

    assert not series.carry_out()
    said = capsys.readouterr().out.splitlines()
    assert ["4-classic", "5-consumer"] == [line.partition(":")[0] for line in said]
    assert all("no verdict" in line and "invalid choice: 7" in line for line in said)


class Harmless:
    """A fault that does nothing, or cannot."""

    hold_s = 0.0

    def __init__(self, name, *, error=None):
        self.name = name
        self.error = error

    def inject(self, scene):
        if self.error is not None:
            raise self.error

    def heal(self, scene):
        scene.timeline.note("healed", by=self.name)


class Rehearsal:
    """A trial without workers and Kafka, in which healing fails for some time."""

    def __init__(self, folder, unhealed=0):
        self.timeline = Timeline(folder / "timeline.jsonl")
        fleet = SimpleNamespace(needing_a_human=[])
        self.scene = SimpleNamespace(timeline=self.timeline, fleet=fleet, random=Random(0))
        self.recoveries = []
        self.unhealed = unhealed

    def inject(self, fault):
        self.timeline.note("inject", fault=fault.name)
        fault.inject(self.scene)

    def heal(self, fault, injected_s):
        fault.heal(self.scene)
        self.watch(fault.name, injected_s)

    def watch(self, fault, injected_s):
        self.recoveries.append(fault)
        return Recovery(fault, injected_s, injected_s, {})

    def heal_all(self):
        if self.unhealed:
            self.unhealed -= 1
            raise AssertionError("a copy is not in sync yet")

    def calm(self, seconds):
        """Nobody is there to be left alone."""

    def await_recovery(self, recovery):
        """Nothing is lacking."""

    def finish(self, *, is_orderly):
        return Verdict([])


def test_a_fault_that_was_not_injected_has_no_recovery(tmp_path):
    """It would be the fastest of all; what came half-way is undone all the same."""
    trial = Rehearsal(tmp_path)
    errors = {"done": None, "nobody": NothingToHarm("nobody is there"), "half": OSError("no disk")}
    entries = [Entry(partial(Harmless, name, error=error)) for name, error in errors.items()]

    Nemesis(trial, entries).run([[Step(0.0, name, 0.0) for name in errors]])

    healed = [one["by"] for one in trial.timeline.happenings if one["what"] == "healed"]
    assert ["done", QUIET] == trial.recoveries
    assert {"done": 1} == faults_in(trial.timeline.happenings)
    assert ["done", "half"] == sorted(healed)


def test_what_does_not_heal_at_once_is_healed_later(tmp_path):
    """Three nodes that start together on a busy machine take longer than they are given."""
    trial = Rehearsal(tmp_path, unhealed=2)

    verdict = Nemesis(trial, []).run([[]])

    assert verdict.is_green
    assert 2 == trial.timeline.count("not-healed")
    with pytest.raises(AssertionError):
        Nemesis(Rehearsal(tmp_path, unhealed=9), []).run([[]])


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.parametrize("moment", ["a worker runs", "Kafka starts"])
def test_a_run_that_is_ended_leaves_nothing_running(tmp_path, moment):
    """Three Kafka nodes that nobody knows of would slow down everything after it."""
    kafkas = tmp_path / "kafkas"
    kafkas.mkdir()
    timeline = folder_of(tmp_path, 1, "classic") / "timeline.jsonl"
    words = ["--seed", "1", "--protocol", "classic", "--nodes", "1", "--into", str(tmp_path)]
    command = [sys.executable, "-m", "tests.faults", *words]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env={**os.environ, "TMPDIR": str(kafkas)}, stdout=subprocess.PIPE
    ) as run:
        is_begun = {
            "a worker runs": lambda: timeline.exists() and "worker-started" in timeline.read_text(),
            "Kafka starts": lambda: any(kafkas.glob("*/kafka/pid")),
        }[moment]
        try:
            assert wait_until(is_begun, Deadline.after(BEGUN_WITHIN_S))
            run.send_signal(signal.SIGTERM)
            code = run.wait(ENDED_WITHIN_S)
        finally:
            run.kill()

    left = [one.cmdline() for one in psutil.process_iter() if is_of(one, tmp_path)]
    assert INTERRUPTED == code
    assert [] == left
    assert [] == list(kafkas.iterdir())


def is_of(process, folder):
    """Whether its command names the folder."""
    try:
        return any(str(folder) in word for word in process.cmdline())
    except psutil.Error:
        return False
