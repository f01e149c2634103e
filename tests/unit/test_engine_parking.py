"""Handlers and results that raise: no trace of the change, the key parked, others flow."""

from __future__ import annotations

import pytest

from streams.engine import loop as loop_module
from streams.engine.decisions import DecisionKind
from streams.engine.stage import Stage
from streams.errors import HandlerFailing
from streams.ports.records import Polled
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import (
    HandlerError,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
    shares_fold,
    unliked,
)


def test_a_raise_after_a_change_leaves_no_trace(bench):
    """The handler added a user and emitted a fact before it raised."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"), liked(2, photo_id=7))

    worker.drain()

    assert {"5": 1, "7": 1} == bench.counts()
    assert {1, 2} == {fact.user_id for fact in bench.facts()}
    assert {1} == worker.state(5).users


def test_a_raise_leaves_no_trace_after_a_crash_and_reopening(bench):
    """What a half-changed state became must not be found in a store either."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    bench.emit(posted("raise"))
    worker.drain()
    worker.checkpoint()
    worker.crash()

    worker = bench.worker()
    bench.emit(liked(2), liked(3, photo_id=7))
    worker.drain()

    assert {"5": 1, "7": 1} == bench.counts()
    assert {1} == worker.state(5).users


def test_a_raise_leaves_no_trace_when_the_worker_dies_before_its_commit(bench):
    """The next owner meets the same raise, and decides the same once."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"))
    worker.turn()
    worker.crash()

    bench.worker().drain()

    assert {"5": 1} == bench.counts()
    assert 1 == len(bench.decisions())
    assert {1} == {fact.user_id for fact in bench.facts()}


def test_later_events_of_a_parked_key_are_skipped_and_other_keys_flow(bench):
    """On the same partition, too, and in the batch that raised."""
    photo, other = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    bench.emit(
        liked(1, photo), posted("raise", photo), liked(2, photo), liked(3, other), unliked(1, photo)
    )

    worker.drain()

    assert {str(photo): 1, str(other): 1} == bench.counts()


def test_a_parked_key_stays_parked_for_the_next_owner(bench):
    """Silent replay and live folding read the same decision."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"))
    worker.drain()
    worker.crash()
    worker = bench.worker()
    bench.emit(liked(2), liked(3))

    worker.drain()

    assert {"5": 1} == bench.counts()


def test_a_record_counts_as_folded_once_however_often_it_was_read(bench):
    """A park reads the open interval again, and a crash what was committed; a person is told."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    bench.emit(liked(2), posted("raise"), liked(3, photo_id=7))
    worker.turn(2)
    before = worker.assignment.folded

    worker.drain()
    after = worker.assignment.folded
    worker.crash()
    again = bench.worker()
    again.drain()

    assert (1, 4, 0) == (before, after, again.assignment.folded)


def test_records_of_partitions_that_went_stay_counted(bench):
    """They were folded in this run, whoever has their partition next."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2, photo_id=7))
    worker.drain()

    worker.stop()

    assert 2 == worker.assignment.folded


def test_only_the_fold_that_raised_parks_the_key(tmp_path, bench):
    """Another fold has its own state of that key, which is sound."""
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"))
    worker.drain()

    assert [("likes", 5)] == [(one.fold, one.fold_key) for one in bench.decisions()]


def test_a_park_is_recorded_once_with_the_transaction_of_its_offset(bench):
    """Not before: a decision about an uncommitted offset would bind whoever folds it next."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"))
    worker.turn(2)
    before = bench.decisions()

    worker.drain()

    (decision,) = bench.decisions()
    assert [] == before
    assert (DecisionKind.PARKED, home_of(5), 1) == (decision.kind, decision.source, decision.at)
    assert ("handler", "HandlerError", "raise") == (
        decision.raised_by,
        decision.reason,
        decision.detail,
    )
    assert bench.committed(home_of(5)).offset == 2


def test_a_park_is_not_recorded_by_an_aborted_transaction(bench):
    """The transaction that fails takes its decisions along; the next one brings them."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"))
    worker.turn(2)
    bench.log.fail_next_commit(CommitFault.BEFORE)
    worker.commit()
    after_failure = bench.decisions()

    worker.drain()

    assert [] == after_failure
    assert 1 == len(bench.decisions())


def test_the_open_interval_of_a_raise_is_published_once(bench):
    """Facts emitted before the raise are folded again from the checkpoint, not sent twice."""
    photo, other = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    bench.emit(liked(1, other), liked(2, photo), posted("raise", photo), liked(3, other))

    worker.drain()

    assert [1, 2, 3] == sorted(fact.user_id for fact in bench.facts())
    assert {str(photo): 1, str(other): 2} == bench.counts()


def test_a_raise_after_a_checkpoint_and_a_commit_replays_silently(bench):
    """Committed facts lie between the checkpoint and the raise: they are not emitted again."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    worker.checkpoint()
    bench.emit(liked(2), liked(3))
    worker.drain()
    bench.emit(liked(4), posted("raise"))

    worker.drain()

    assert [1, 2, 3, 4] == sorted(fact.user_id for fact in bench.facts())
    assert {"5": 4} == bench.counts()


def test_a_park_waits_for_the_commit_that_covers_its_offset(bench):
    """Record by record, an earlier commit of the same interval does not bring it."""
    worker = bench.worker(poll_records=1)
    bench.emit(liked(1), liked(2), posted("raise"))
    worker.turn(1)
    worker.commit()
    worker.turn(2)  # the second one raises: back to the start
    worker.turn(2)
    worker.commit()
    at_two = bench.decisions()

    worker.drain()

    assert 2 == bench.committed(home_of(5)).offset - 1
    assert [] == at_two
    assert 1 == len(bench.decisions())


def test_a_partition_that_was_reopened_is_restoring_until_it_is_where_it_was(bench):
    """A probe must not call it ready while results are older than what was published."""
    worker = bench.worker(poll_records=2)
    bench.emit(liked(1), liked(2), liked(3))
    worker.drain()
    bench.emit(posted("raise"))
    worker.turn()
    reopened = worker.partition().stage

    worker.turn(2)

    assert Stage.RESTORING is reopened
    assert Stage.LIVE is worker.partition().stage


def test_a_second_batch_of_a_partition_that_was_reopened_is_left_for_the_next_poll(
    bench, monkeypatch
):
    """It stands above the place to go on from: once taken, the events in between would be lost."""
    photo, other = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    poll = worker.consumer.poll

    def poll_in_two_batches(max_records, timeout_s):
        first, second = poll(2, timeout_s), poll(max_records, timeout_s)
        return Polled([*first.batches, *second.batches], {**first.ends, **second.ends})

    monkeypatch.setattr(worker.consumer, "poll", poll_in_two_batches)
    bench.emit(liked(1, other), posted("raise", photo), liked(2, other))

    worker.drain()

    assert {str(other): 2} == bench.counts()
    assert [photo] == [decision.fold_key for decision in bench.decisions()]


def test_two_keys_that_raise_in_one_batch_are_both_parked(bench):
    """Each reopening meets the next one."""
    one, other = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    bench.emit(posted("raise", one), posted("raise", other), liked(1, one), liked(1, other))

    worker.drain()

    assert {one, other} == {decision.fold_key for decision in bench.decisions()}
    assert {} == bench.counts()


def test_a_result_that_raises_parks_its_key_from_the_open_interval_on(bench):
    """The state is fine for the fold but not for its result; other results are published."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    bench.emit(liked(2), posted("break the result"), liked(3, photo_id=7))

    worker.drain()

    (decision,) = bench.decisions()
    assert {"5": 1, "7": 1} == bench.counts()
    assert (5, 1) == (decision.fold_key, decision.at)
    assert ("result", 2) == (decision.raised_by, decision.up_to)
    assert {1} == worker.state(5).users
    assert {1, 3} == {fact.user_id for fact in bench.facts()}


def test_a_key_that_is_parked_earlier_than_it_was_is_parked_once(bench):
    """Its handler raised, then its result at an earlier commit: the next owner skips all of it."""
    bench.emit(liked(1), liked(2), posted("break the result"), posted("raise"), liked(3))
    worker = bench.worker(poll_records=3)
    worker.turn(2)
    at_first = dict(worker.partition()._decisions.parked["likes"])
    worker.drain()
    worker.stop()
    heir = bench.worker()
    heir.drain()

    assert {5: 3} == at_first
    assert [0] == [one.at for one in bench.decisions()]
    assert heir.state() is None
    heir.stop()


def test_a_handler_that_raises_over_what_it_once_folded_stops_the_worker(bench):
    """Its code changed without its version: parking now would contradict what was published."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    worker.crash()
    changed = likes_fold()
    handler = changed.handlers[type(liked(1))]

    def raises(*_):
        raise HandlerError("new code")

    changed.handlers[type(liked(1))] = type(handler)(raises, wants_context=True)
    bench.declare(changed)

    with pytest.raises(HandlerFailing, match="bring the old code back"):
        bench.worker().drain()
    assert [] == bench.decisions()


def test_more_than_a_hundred_parks_a_minute_stop_the_worker(bench):
    """That is a broken handler, not a hundred broken events."""
    worker = bench.worker()
    photos = photos_on(0, 101)
    bench.emit(*(posted("raise", photo) for photo in photos))

    with pytest.raises(HandlerFailing, match="100 keys in a minute"):
        worker.drain()


def test_a_hundred_parks_in_more_than_a_minute_are_no_reason_to_stop(bench, monkeypatch):
    """Only the rate tells a broken handler."""
    now = [0.0]
    monkeypatch.setattr(loop_module, "monotonic_s", lambda: now[0])
    worker = bench.worker()
    photos = photos_on(0, 101)
    bench.emit(*(posted("raise", photo) for photo in photos[:100]))
    worker.drain()

    now[0] += 61.0
    bench.emit(posted("raise", photos[100]))
    worker.drain()

    assert 101 == len(bench.decisions())


def test_an_error_without_a_readable_text_parks_its_key_all_the_same(bench):
    """A decision must be writable whatever a handler raises."""

    class Mute(Exception):
        def __str__(self):
            return "\ud800"

    fold = likes_fold()
    handler = fold.handlers[type(liked(1))]

    def raises(*_):
        raise Mute

    fold.handlers[type(liked(1))] = type(handler)(raises, wants_context=True)
    bench.declare(fold)
    worker = bench.worker()
    bench.emit(liked(1))

    worker.drain()

    assert ["Mute"] == [decision.reason for decision in bench.decisions()]


def test_running_out_of_memory_stops_the_worker_instead_of_parking(bench):
    """The machine's errors say nothing about the event."""
    fold = likes_fold()
    handler = fold.handlers[type(liked(1))]

    def exhausts(*_):
        raise MemoryError

    fold.handlers[type(liked(1))] = type(handler)(exhausts, wants_context=True)
    bench.declare(fold)
    worker = bench.worker()
    bench.emit(liked(1))

    with pytest.raises(MemoryError):
        worker.drain()
    assert [] == bench.decisions()
