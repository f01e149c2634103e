"""A service in steps: what a process may do between two calls, and that all of it is judged."""

from __future__ import annotations

import pytest

from schemas.demo import LikesCounted
from streams.testing.schedule import Setup
from streams.testing.world import World
from tests.unit.engine_bench import (
    COUNTS,
    decoded,
    liked,
    likes_fold,
    outgoing,
    service_of,
    shares_fold,
)

RECORDS = [outgoing(liked(user)) for user in range(1, 6)]


@pytest.fixture
def world():
    """Two workers on two hosts; nothing has begun."""
    world = World(service_of(likes_fold(), shares_fold()), Setup(), RECORDS)
    yield world
    world.close()


def play(world, *steps):
    for step in steps:
        world.step(step)


def likes(world):
    return [decoded(LikesCounted, one.value).likes for one in world.log.records(COUNTS)]


def test_a_worker_folds_and_commits_what_is_emitted(world):
    """Without faults it is a worker like any other."""
    play(world, ("emit", 5), ("start", 0), ("run", 0, 400))

    assert [5] == likes(world)
    assert world.finding is None


def test_a_process_stands_still_before_each_of_its_calls(world):
    """So it may be killed, or overtaken, at every one of them."""
    world.step(("start", 0))
    seen = []
    while "commit the transaction" not in seen[-1:]:
        seen.append(world.places[0].process.standing)
        world.step(("run", 0, 1))

    assert ["open the producer", "describe topics", "ask for the group's offsets"] == seen[:3]


def test_a_dead_process_does_nothing_on_its_way_out(world):
    """Its locks are free at once; its group learns of it later."""
    play(world, ("emit", 5), ("start", 0))
    until(world, 0, "poll")
    play(world, ("run", 0, 3), ("crash", 0), ("start", 1), ("run", 1, 60))
    before = likes(world)
    play(world, ("sleep", 7), ("run", 1, 200))

    assert [] == before
    assert [5] == likes(world)
    assert world.finding is None


def test_a_commit_request_that_is_held_ends_nothing_but_its_own_transaction(world):
    """The worker drops its producer, so that the request names an epoch of the past."""
    play(world, ("emit", 2), ("start", 0))
    until(world, 0, "poll")
    until(world, 0, "commit the transaction")
    play(world, ("late", 0), ("emit", 3), ("run", 0, 60), ("deliver",), ("run", 0, 200))

    assert 5 == likes(world)[-1]
    assert world.finding is None


def test_both_protocols_hand_partitions_over():
    """Eagerly, or one after the other."""
    for protocol in ("classic", "consumer"):
        world = World(service_of(likes_fold()), Setup(protocol=protocol), RECORDS)
        play(world, ("start", 0), ("run", 0, 150), ("start", 1))
        for _ in range(10):
            play(world, ("run", 1, 20), ("run", 0, 20))
        owned = [len(place.worker.assignment.owned) for place in world.places]
        world.close()

        assert [2, 2] == owned


def until(world, worker, call):
    for _ in range(500):
        if world.places[worker].process.standing == call:
            return
        world.step(("run", worker, 1))
    raise AssertionError(f"never came to {call}")
