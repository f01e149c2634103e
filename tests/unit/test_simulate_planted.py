"""Errors planted into the engine: each is found, made small, and printed as a test."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from streams.testing import SimulationFailed, simulate
from tests.unit.planted import EVENTS, PLANTED, SERVICE, commits_what_it_lost

MOST_SCHEDULES = 80


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_an_error_in_the_engine_is_found(monkeypatch, plant):
    """Whoever changes the engine learns of it from a few schedules, and from one that is small."""
    plant(monkeypatch)

    found = simulate(SERVICE, EVENTS, seed=8, schedules=MOST_SCHEDULES, may_park=True)

    with pytest.raises(SimulationFailed):
        found.check()
    with pytest.raises(SimulationFailed):
        play(found.test)
    monkeypatch.undo()
    play(found.test)


def test_nothing_is_found_where_nothing_is_planted():
    """A judge that is always unhappy finds every bug too."""
    simulate(SERVICE, EVENTS, seed=8, schedules=MOST_SCHEDULES, may_park=True).check()


def test_the_same_seed_finds_the_same(monkeypatch):
    """Else nobody could look at it twice."""
    commits_what_it_lost(monkeypatch)

    first, second = (simulate(SERVICE, EVENTS, seed=8, may_park=True) for _ in range(2))

    assert first.test
    assert str(first) == str(second)


def test_another_process_finds_the_same(monkeypatch):
    """There strings have other hashes: what is printed on one machine is pasted on another."""
    commits_what_it_lost(monkeypatch)
    test = simulate(SERVICE, EVENTS, seed=8, may_park=True).test
    program = "\n".join(
        [
            test,
            "import pytest",
            "from tests.unit.planted import commits_what_it_lost",
            "from streams.testing import SimulationFailed",
            "with pytest.MonkeyPatch.context() as patch, pytest.raises(SimulationFailed) as found:",
            "    commits_what_it_lost(patch)",
            "    test_planted_again()",
            "print(found.value)",
        ]
    )

    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert told[0] == told[1]
    assert "what happened" in told[0]


def play(test):
    """Run a printed test."""
    names = {}
    exec(test, names)
    names["test_planted_again"]()
