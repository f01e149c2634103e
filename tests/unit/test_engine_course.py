"""What is folded out of place, and what a checkpoint has to know of it."""

from __future__ import annotations

import copy

import pytest

from schemas.social import PhotoShared
from streams.engine.decisions import DecisionKind
from streams.engine.loop import Loop
from streams.engine.originals import Originals
from streams.ports.records import Polled
from streams.testing.consumer import InMemoryConsumer
from tests.unit.engine_bench import (
    Bench,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
    shares_fold,
)
from tests.unit.mended_folds import (
    RUBBISH,
    encoded,
    killed_behind_a_redrive,
    mend,
    parked,
    quarantined,
    users,
)


def shared(photo, number=1):
    return PhotoShared(share_id=number, photo_id=photo, owner_id=9, user_id=2)


def only(bench, kind):
    return [one for one in bench.decisions() if one.kind is kind]


@pytest.mark.parametrize("is_recovery", [False, True])
def test_a_redriven_record_is_not_folded_again_while_another_key_catches_up(
    bench, disk, is_recovery
):
    """The checkpoint holds it; the key that catches up passes its place on the way."""
    photo, other = photos_on(home_of(5).partition, 2)
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    bench.emit(posted("raise", photo))
    late = bench.put(shared(other), value=RUBBISH)
    worker.drain()
    mend(bench, late.offset, shared(other))
    bench.ask(*only(bench, DecisionKind.QUARANTINED))
    worker.drain()
    bench.emit(liked(1, photo), shared(other, 2))
    worker.drain()
    worker.stop()
    rows = copy.deepcopy(disk.rows)
    bench.declare(likes_fold(is_mended=True), shares_fold())
    bench.ask(*only(bench, DecisionKind.PARKED))
    worker = bench.worker()
    worker.drain()
    if is_recovery:
        worker.crash()
        disk.rows = rows
        worker = bench.worker()
        worker.drain()

    assert 2 == worker.state(other, fold=1).times
    assert {1, 666} == worker.state(photo).users


def test_a_record_from_before_a_park_that_is_redriven_behind_it_waits_for_the_retry(bench, disk):
    """Where it is folded counts, not where it stands: the key's state must not move meanwhile."""
    worker = bench.worker()
    late = bench.put(liked(1), value=RUBBISH)
    bench.emit(posted("raise"))
    worker.drain()
    mend(bench, late.offset, liked(1))
    bench.ask(*only(bench, DecisionKind.QUARANTINED))
    worker.drain()
    while_parked = bench.counts(), users(bench), worker.state()
    worker.stop()
    bench.declare(likes_fold(is_mended=True))
    bench.ask(*only(bench, DecisionKind.PARKED))
    worker = bench.worker()
    worker.drain()
    worker.crash()
    disk.rows.clear()
    worker = bench.worker()
    worker.drain()

    assert ({}, [], None) == while_parked
    assert {"5": 2} == bench.counts()
    assert [1, 666] == users(bench)
    assert {1, 666} == worker.state().users


def test_a_partition_goes_live_behind_a_redrive_although_nothing_comes(bench, disk, monkeypatch):
    """A client tells the end of a partition when it has found it, which may take a while."""
    killed_behind_a_redrive(bench, disk)
    poll = InMemoryConsumer.poll
    monkeypatch.setattr(InMemoryConsumer, "poll", lambda *asked: Polled(poll(*asked).batches, {}))

    worker = bench.worker()

    assert {2, 3} == worker.state().users


def test_no_checkpoint_is_made_before_what_is_due_is_folded(bench, disk, monkeypatch):
    """It would say that it holds a record which it does not."""
    killed_behind_a_redrive(bench, disk)
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_take", lambda *_asked: None)
        worker = bench.worker()
        worker.checkpoint()
        worker.crash()

    worker = bench.worker()
    worker.drain()

    assert {2, 3} == worker.state().users


def test_a_record_that_changed_nothing_is_not_read_again_either(bench, monkeypatch):
    """The checkpoint knows of it: what is not in the log any more one day must not stop anybody."""
    quarantined(bench)
    mend(bench, 1, shared(5))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.stop()
    monkeypatch.setattr(Originals, "read", None)

    worker = bench.worker()
    worker.drain()

    assert {3} == worker.state().users


def test_a_store_that_holds_more_than_was_decided_is_set_aside(bench, disk):
    """Whoever lost decisions gets the state that follows from those that are left."""
    parked(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.stop()
    decisions = bench.log.records(bench.service.decisions)
    bench.log.recreate_topic(bench.service.decisions)
    bench.log.append(bench.service.decisions, b"k", decisions[0].value, partition=0)

    worker = bench.worker()
    worker.drain()

    assert {1} == worker.state().users
    assert 1 == len(disk.aside)


def test_a_record_is_folded_late_by_every_fold(bench):
    """It was skipped by each of them."""
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    late = bench.put(shared(5), value=RUBBISH)
    worker.drain()
    mend(bench, late.offset, shared(5))
    bench.ask()

    worker.drain()

    assert 1 == worker.state(fold=1).times
    assert encoded(shared(5)) == bench.log.records(late.topic)[0].value


def test_a_redrive_tells_the_same_in_a_log_of_any_batches(tmp_path):
    """Wherever batches and commits end, a late record is folded at one place."""
    found = []
    for poll_records in (1, 2, 3, 100):
        bench = Bench(tmp_path / f"{poll_records}")
        quarantined(bench)
        bench.ask()
        worker = bench.worker(poll_records=poll_records)
        worker.drain()
        bench.emit(liked(4), liked(5))
        worker.drain()
        bench.folders._disk.rows.clear()
        worker.crash()
        worker = bench.worker(poll_records=poll_records)
        worker.drain()
        found.append(
            (worker.state().users, bench.counts(), [one.event_id for one in bench.facts()])
        )

    assert all(one == found[0] for one in found)
    assert {2, 3, 4, 5} == found[0][0]
