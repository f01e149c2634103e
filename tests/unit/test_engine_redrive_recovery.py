"""What was redriven is followed by every recovery, and killed workers change nothing of it."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from streams.engine.decisions import DecisionKind
from streams.engine.originals import Originals
from streams.engine.reset import reset_state
from streams.errors import FoldChanged, HandlerFailing
from streams.testing.folders import InMemoryFolders
from tests.unit.engine_bench import (
    Bench,
    home_of,
    liked,
    likes_fold,
    posted,
    shares_fold,
    unliked,
)
from tests.unit.killing import Killed, killed_after
from tests.unit.mended_folds import (
    RUBBISH,
    answer,
    killed_behind_a_redrive,
    mend,
    quarantined,
    quiet_fold,
    raising_on,
    users,
)


@pytest.mark.parametrize("has_store", [True, False])
def test_recovery_folds_a_redriven_record_where_it_was_folded(bench, disk, has_store):
    """Behind what came before it was asked for, and before what came later."""
    quarantined(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()
    bench.emit(unliked(2), liked(4))
    worker.drain()
    worker.crash()
    if not has_store:
        disk.rows.clear()

    worker = bench.worker()
    worker.drain()

    assert {"5": 2} == bench.counts()
    assert {3, 4} == worker.state().users
    assert [1, 1, 2, 2, 3, 4] == users(bench)


@pytest.mark.parametrize("poll_records", [1, 2, 100])
def test_a_host_with_a_checkpoint_from_before_follows_a_redrive(bench, disk, poll_records):
    """At the offset behind which it was folded, wherever its checkpoint stands."""
    quarantined(bench)
    rows = copy.deepcopy(disk.rows)
    worker = bench.worker()
    bench.emit(liked(4))
    worker.drain()
    bench.ask()
    worker.drain()
    bench.emit(unliked(2))
    worker.drain()
    worker.crash()
    disk.rows = rows

    worker = bench.worker(poll_records=poll_records)
    worker.drain()

    assert {"5": 2} == bench.counts()
    assert {3, 4} == worker.state().users


def test_an_idle_partition_is_live_again_after_a_crash_right_behind_a_redrive(
    bench, disk, monkeypatch
):
    """Its checkpoint and its committed offset are one, and only the decision tells of more."""
    killed_behind_a_redrive(bench, disk)

    worker = bench.worker()
    worker.drain()
    worker.checkpoint()
    worker.crash()
    monkeypatch.setattr(Originals, "read", None)  # the checkpoint holds it
    worker = bench.worker()
    worker.drain()

    assert {2, 3} == worker.state().users
    assert {"5": 2} == bench.counts()


def test_a_redriven_record_of_a_parked_key_waits_for_the_retry(bench, disk):
    """The key's state stands still; its redriven record has its place among what was skipped."""
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"), liked(2))
    bench.put(liked(3), value=RUBBISH)
    worker.drain()
    mend(bench, 3, unliked(2))
    bench.ask(*[one for one in bench.decisions() if one.kind is DecisionKind.QUARANTINED])
    worker.drain()
    bench.emit(liked(4))
    worker.drain()
    while_parked = bench.counts(), users(bench)
    worker.stop()
    stores = disk.rows, copy.deepcopy(disk.rows), {}
    bench.declare(likes_fold(is_mended=True), shares_fold())
    bench.ask(*[one for one in bench.decisions() if one.kind is DecisionKind.PARKED])
    worker = bench.worker()
    worker.drain()
    worker.crash()

    found = []
    for rows in stores:
        disk.rows = rows
        worker = bench.worker()
        worker.drain()
        found.append(worker.state().users)
        worker.crash()

    assert ({"5": 1}, [1]) == while_parked
    assert {"5": 3} == bench.counts()
    assert [1, 2, 2, 4, 666] == users(bench)
    assert [{1, 4, 666}] * 3 == found


def test_a_state_reset_follows_a_redrive(bench):
    """Again behind the same offset, or the key's state would be another."""
    bench.declare(quiet_fold())
    worker = bench.worker()
    bench.put(liked(2), value=RUBBISH)
    bench.emit(liked(1))
    worker.drain()
    mend(bench, 0, liked(2))
    bench.ask()
    worker.drain()
    bench.emit(liked(3))
    worker.drain()
    worker.stop()

    reset_state(bench.service, bench.log, bench.folders)
    worker = bench.worker(poll_records=1)
    worker.drain()

    assert {"5": 3} == bench.counts()
    assert ["quarantined", "redrive_asked", "redriven"] == bench.kinds()


@pytest.mark.parametrize("event", [None, posted("raise")])
def test_a_reset_puts_back_what_cannot_be_folded_any_more(bench, event):
    """Everything is published anew, so nothing is contradicted, and the rest of the log flows."""
    bench.declare(quiet_fold(is_mended=True))
    worker = bench.worker()
    bench.put(liked(2), value=RUBBISH)
    bench.emit(liked(1))
    worker.drain()
    mend(bench, 0, liked(2))
    bench.ask()
    worker.drain()
    bench.emit(liked(3))
    worker.drain()
    worker.stop()
    if event is None:
        entries = bench.log._broker.partition(home_of(5))._entries
        entries[0] = replace(entries[0], record=replace(entries[0].record, value=RUBBISH))
    else:
        mend(bench, 0, event)

    bench.declare(quiet_fold())
    reset_state(bench.service, bench.log, bench.folders)
    worker = bench.worker()
    worker.drain()
    worker.crash()
    worker = bench.worker()
    worker.drain()

    assert DecisionKind.REDRIVE_FAILED is answer(bench).kind
    assert {"5": 2} == bench.counts()
    assert {1, 3} == worker.state().users


def test_a_redriven_record_that_no_longer_decodes_stops_the_replay(bench, disk):
    """It was folded and published."""
    quarantined(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    disk.rows.clear()
    entries = bench.log._broker.partition(home_of(5))._entries
    entries[1] = replace(entries[1], record=replace(entries[1].record, value=RUBBISH))

    with pytest.raises(FoldChanged, match=f"{home_of(5)}/1: found bad magic.*was folded before"):
        bench.worker().drain()


def test_code_that_raises_over_what_was_redriven_stops_the_worker(bench, disk):
    """As over any record that was folded before."""
    quarantined(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    disk.rows.clear()
    bench.declare(raising_on(2))

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
        quarantined(bench)
        bench.ask()
        bench.emit(unliked(2))
        worker = bench.worker()
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

        is_before = next(one.at for one in bench.decisions() if one.kind == "redriven") == 3
        assert {"5": 1 if is_before else 2} == bench.counts(), steps
        assert sorted([1, 1, 2, 3, *([2] if is_before else [])]) == users(bench), steps
        assert ["quarantined", "redrive_asked", "redriven"] == bench.kinds(), steps
        assert ({3} if is_before else {2, 3}) == worker.state().users, steps
        worker.stop()
        if not kill.is_done:
            break
        steps += 1
    assert steps > 15, "it was killed where something happens"
