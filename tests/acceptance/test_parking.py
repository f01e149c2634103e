"""A handler that raises after it changed its state and emitted a fact."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter

import pytest

from tests.acceptance.fragile_project import act, elsewhere, emit, make_project, notes, sums
from tests.acceptance.home import until

HUGE = 1_000_000_000
USERS = 30
RAISING, RAISING_AT_FIRST = 7, 100

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def acts(first, last):
    return [act(number % USERS, number) for number in range(first, last)]


def of_totals(told):
    """What the fold must take: of the raising keys only what came before."""
    seen, parked = [], set()
    for one in told:
        if one["text"] == "raise":
            parked.add(one["user_id"])
        if one["user_id"] not in parked:
            seen.append(one)
    return seen


def test_a_handler_that_raises_leaves_no_trace(kafka, tmp_path):
    """Neither in results nor in facts; not after a SIGKILL, nor on a machine without the state.

    One key raises after many good events, another at its very first. Both stay parked, other keys
    and the other fold flow.
    """
    home, _ = make_project(kafka, tmp_path)
    told = [
        *acts(0, 1_000),
        act(RAISING, HUGE, text="raise"),
        act(RAISING_AT_FIRST, HUGE, text="raise"),
        *acts(1_000, 2_000),
        act(RAISING_AT_FIRST, 5),
    ]
    with home.start("run", "fragile", "--workers", "2") as service:
        emit(home, told)
        until(lambda: len(parked(home, "list")) == 2, 40, "both keys parked")
        until(lambda: home.has_workers(2, "fragile"), 40, "both workers live")
        for worker in home.workers("fragile"):
            os.kill(worker.pid, signal.SIGKILL)
        told += acts(2_000, 3_000)
        emit(home, acts(2_000, 3_000))
        until(lambda: tallied(home) == len(told), 40, "the other fold has seen everything")
        assert [-signal.SIGKILL] * 2 == [line["code"] for line in service.said("restart")]
        assert 0 == service.terminate()
    check(home, told)

    told += [act(RAISING, 1), *acts(3_000, 4_000)]
    emit(home, told[-1_001:])
    home = elsewhere(home)
    home.done("run", "fragile", "--until-caught-up")

    check(home, told)


def check(home, told):
    taken = of_totals(told)
    listed, shown = parked(home, "list"), parked(home, "show")

    assert sums(taken) == home.dump("acts.totals")
    assert sums(told) == home.dump("acts.tallies")
    assert Counter((one["user_id"], one["amount"]) for one in taken) == Counter(notes(home))
    assert {str(RAISING), str(RAISING_AT_FIRST)} == {row["key"] for row in listed}
    assert {("totals", "RuntimeError", "asked to raise")} == {
        (row["fold"], row["reason"], row["detail"]) for row in listed
    }
    assert {RAISING, RAISING_AT_FIRST} == {row["event"]["user_id"] for row in shown}
    assert {HUGE} == {row["event"]["amount"] for row in shown}


def parked(home, verb):
    lines = home.done("parked", verb, "fragile", "--json").splitlines()
    return [json.loads(line) for line in lines]


def tallied(home):
    return sum(row["acts"] for row in home.dump("acts.tallies").values())
