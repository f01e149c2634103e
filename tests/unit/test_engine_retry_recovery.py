"""What was retried is followed by every recovery, and killed workers change nothing of it."""

from __future__ import annotations

import copy

import pytest

from streams.engine.decisions import DecisionKind
from streams.engine.reset import reset_state
from streams.errors import HandlerFailing
from streams.testing.folders import InMemoryFolders
from tests.unit.engine_bench import (
    Bench,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
    unliked,
)
from tests.unit.killing import Killed, killed_after
from tests.unit.mended_folds import parked, quiet_fold, users

FACTS = [1, 2, 3, 7, 666]


@pytest.mark.parametrize("has_store", [True, False])
def test_recovery_follows_a_retry(bench, disk, has_store):
    """With a checkpoint behind it, and on a host that has none."""
    parked(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    if not has_store:
        disk.rows.clear()
    worker = bench.worker()
    bench.emit(liked(4), liked(1))

    worker.drain()

    assert {"5": 5, "7": 1} == bench.counts()
    assert sorted([*FACTS, 4]) == users(bench)
    assert {1, 2, 3, 4, 666} == worker.state().users


def test_a_host_with_a_checkpoint_from_before_the_retry_catches_up(bench, disk):
    """Its state of the key is that of the moment it was parked; events behind it are missing."""
    photo, other = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    bench.emit(liked(1, photo), posted("raise", photo), liked(2, photo), liked(3, other))
    worker.drain()
    worker.stop()
    rows = copy.deepcopy(disk.rows)
    bench.declare(likes_fold(is_mended=True))
    bench.emit(liked(4, photo), liked(5, other))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    bench.emit(liked(6, photo), unliked(3, other))
    worker.drain()
    worker.crash()
    published = bench.results(), users(bench)
    disk.rows = rows

    worker = bench.worker(poll_records=1)
    worker.drain()

    assert published == (bench.results(), users(bench))
    assert ({1, 2, 4, 6, 666}, {5}) == (worker.state(photo).users, worker.state(other).users)


def test_no_checkpoint_is_made_while_keys_catch_up(bench, disk):
    """Their states are behind those of the others: no offset would fit both."""
    photo, other = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    bench.emit(posted("raise", photo), *(liked(user, other) for user in range(5)))
    worker.drain()
    worker.stop()
    rows = copy.deepcopy(disk.rows)
    bench.declare(likes_fold(is_mended=True))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    disk.rows = copy.deepcopy(rows)

    worker = bench.worker(poll_records=1)
    worker.turn()
    worker.checkpoint()
    found = copy.deepcopy(disk.rows)
    worker.crash()
    worker = bench.worker()
    worker.drain()

    assert rows == found
    assert ({666}, 5) == (worker.state(photo).users, len(worker.state(other).users))


def test_a_state_reset_follows_a_retry(bench):
    """The log is folded anew with its decisions: what was retried is folded in its place."""
    bench.declare(quiet_fold())
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"), liked(2))
    worker.drain()
    worker.stop()
    bench.declare(quiet_fold(is_mended=True))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    bench.emit(liked(3))
    worker.drain()
    worker.stop()

    reset_state(bench.service, bench.log, bench.folders)
    worker = bench.worker()
    worker.drain()

    assert ["parked", "retry_asked", "retried"] == bench.kinds()
    assert {"5": 4} == bench.counts()
    assert {1, 2, 3, 666} == worker.state().users


def test_a_request_is_answered_in_the_middle_of_a_state_reset(bench):
    """Not before the log is folded up to the event in question."""
    bench.declare(quiet_fold())
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"), liked(2))
    worker.drain()
    worker.stop()
    bench.declare(quiet_fold(is_mended=True))
    bench.ask()
    reset_state(bench.service, bench.log, bench.folders)
    worker = bench.worker(poll_records=1)

    worker.drain()

    (retried,) = [one for one in bench.decisions() if one.kind is DecisionKind.RETRIED]
    assert (1, 1) == (retried.original, retried.at)
    assert {"5": 3} == bench.counts()


def test_todays_code_may_park_again_what_was_retried_when_the_log_is_folded_anew(bench):
    """After a reset all of it is published again, so that nothing contradicts it."""
    bench.declare(quiet_fold())
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"), liked(2))
    worker.drain()
    worker.stop()
    bench.declare(quiet_fold(is_mended=True))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.stop()
    bench.declare(quiet_fold())

    reset_state(bench.service, bench.log, bench.folders)
    worker = bench.worker()
    worker.drain()
    after_reset = bench.counts()
    worker.stop()
    bench.declare(quiet_fold(is_mended=True))
    bench.ask(bench.decisions()[-1])
    bench.worker().drain()

    assert ({"5": 1}, {"5": 3}) == (after_reset, bench.counts())


def test_code_that_raises_over_what_was_retried_stops_the_worker(bench, disk):
    """It was folded and published; the old code on another host must not park it in silence."""
    parked(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    disk.rows.clear()
    bench.declare(likes_fold())

    with pytest.raises(HandlerFailing, match="bring the old code back"):
        bench.worker().drain()


@pytest.mark.parametrize("has_store", [True, False])
def test_a_worker_that_is_killed_at_any_step_loses_and_doubles_nothing(
    tmp_path, disk, monkeypatch, has_store
):
    """The request waits for the next owner, or the answer is there: nothing in between is seen."""
    steps = 0
    while True:
        disk.rows.clear()
        bench = Bench(tmp_path / f"{steps}", folders=InMemoryFolders(disk))
        parked(bench)
        bench.ask()
        worker = bench.worker(poll_records=1)
        with killed_after(monkeypatch, steps) as kill:
            try:
                worker.drain()
            except Killed:
                worker.crash()
                bench.log.expire_transactions()
        if not has_store:
            disk.rows.clear()
        worker = worker if not kill.is_done else bench.worker()
        worker.drain()
        bench.emit(liked(4))
        worker.drain()

        assert {"5": 5, "7": 1} == bench.counts(), steps
        assert sorted([*FACTS, 4]) == users(bench), steps
        assert ["parked", "retry_asked", "retried"] == bench.kinds(), steps
        assert {1, 2, 3, 4, 666} == worker.state().users, steps
        worker.stop()
        if not kill.is_done:
            break
        steps += 1
    assert steps > 25, "it was killed where something happens"
