"""Checkpoints and silent replay: the store is never ahead, and recovery says nothing."""

from __future__ import annotations

import pytest

from schemas.counters import ActorKind
from streams.engine import checkpoints as checkpoints_module
from streams.engine import loop as loop_module
from streams.engine.stage import Stage
from streams.events.ids import derived_event_id, format_event_id
from streams.state.checkpoint import read_meta
from streams.state.folder import partition_path
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import (
    FACTS,
    INPUT,
    Bench,
    home_of,
    liked,
    likes_fold,
    photos_on,
    shares_fold,
    unliked,
)

SOURCE = home_of(5)


def store_offset(worker, photo_id=5):
    meta = read_meta(worker.partition(photo_id)._store)
    return None if meta is None else meta.offset


def fact_ids(bench):
    return sorted(fact.event_id for fact in bench.facts())


def expected_id(offset, user_id):
    output = ("counters.ActorCounted", str(user_id), 0)
    return derived_event_id("likes", INPUT, SOURCE.partition, offset, output)


def test_silent_replay_publishes_nothing(bench):
    """Results and facts of the past are in their topics already."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2), unliked(1))
    worker.drain()
    before = bench.results(), fact_ids(bench)
    worker.crash()

    worker = bench.worker()
    worker.drain()

    assert before == (bench.results(), fact_ids(bench))
    assert {2} == worker.state().users


def test_a_worker_goes_live_exactly_at_the_committed_offset(bench):
    """A batch may hold the last replayed record and the first live one."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    worker.crash()
    bench.emit(liked(3))

    worker = bench.worker()
    worker.drain()

    assert {"5": 3} == bench.counts()
    assert [1, 2, 3] == sorted(fact.user_id for fact in bench.facts())


def test_a_key_that_changed_in_silence_only_is_not_published(bench):
    """Its newest result is in the topic; another value would be a lie or a waste."""
    other = photos_on(SOURCE.partition, 2)[1]
    worker = bench.worker()
    bench.emit(liked(1), liked(2, other))
    worker.drain()
    before = len(bench.results())
    worker.crash()
    bench.emit(liked(3, other))

    bench.worker().drain()

    assert [(other, 2)] == bench.results()[before:] or (other, 2) in bench.results()
    assert before + 1 == len(bench.results())


def test_replay_begins_at_the_checkpoint(bench):
    """Not at the log's start: ten seconds of events, not ten years."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    worker.checkpoint()
    bench.emit(liked(3))
    worker.drain()
    worker.crash()
    bench.log.delete_records(SOURCE, before=2)

    worker = bench.worker()

    assert {1, 2, 3} == worker.state().users


def test_a_fact_has_the_id_of_the_record_that_made_it(bench):
    """Whoever reads it twice can tell."""
    worker = bench.worker()
    bench.emit(liked(1), liked(1), liked(2), unliked(1))

    worker.drain()

    assert sorted([expected_id(0, 1), expected_id(2, 2), expected_id(3, 1)]) == fact_ids(bench)
    assert 3 == len(set(fact_ids(bench)))


@pytest.mark.parametrize("poll_records", [1, 2, 7])
def test_facts_do_not_depend_on_the_bounds_of_batches_and_commits(tmp_path, poll_records):
    """Two workers see the same log in other pieces."""
    events = [liked(number % 5) if number % 3 else unliked(number % 4) for number in range(30)]
    whole, pieces = Bench(tmp_path / "whole"), Bench(tmp_path / "pieces")
    worker = whole.worker()
    whole.emit(*events)
    worker.drain()
    worker = pieces.worker(poll_records=poll_records)
    pieces.emit(*events)

    worker.drain()

    assert fact_ids(whole) == fact_ids(pieces)
    assert whole.counts() == pieces.counts()


def test_facts_that_are_folded_again_have_the_same_ids(bench):
    """The interval of a dead worker is folded by the next one."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.turn()
    emitted = [one.event_id for one in bench.facts()]
    worker.crash()

    bench.worker().drain()

    assert [] == emitted
    assert sorted([expected_id(0, 1), expected_id(1, 2)]) == fact_ids(bench)


def test_a_fact_carries_its_source_its_cause_and_its_time(bench):
    """What it was made of can be found, and replay gives it the same time."""
    worker = bench.worker()
    event_id = bytes(range(16))
    like = type(liked(1))(user_id=1, photo_id=5, owner_id=9, event_id=event_id, occurred_at=77)
    bench.emit(like)

    worker.drain()

    (record,) = bench.log.records(FACTS)
    (fact,) = bench.facts()
    headers = dict(record.headers)
    assert f"{SOURCE}/0".encode() == headers["source"]
    assert format_event_id(event_id).encode() == headers["causation"]
    assert (77, ActorKind.LIKE, b"1") == (fact.occurred_at, fact.kind, record.key)


def test_a_checkpoint_first_commits_what_is_open(bench):
    """Only committed state may be saved."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()

    worker.checkpoint()

    assert {"5": 1} == bench.counts()
    assert 1 == store_offset(worker)


def test_a_checkpoint_saves_nothing_when_the_commit_failed(bench):
    """A crash now must find the state of the committed offset."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    bench.log.fail_next_commit(CommitFault.BEFORE)
    worker.checkpoint()
    saved = store_offset(worker)
    worker.crash()
    bench.log.expire_transactions()

    bench.worker().drain()

    assert saved is None
    assert {"5": 1} == bench.counts()
    assert 1 == len(bench.facts())


def test_a_checkpoint_is_one_write_over_all_folds(bench, disk):
    """Half of it would be a state that never was."""
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    writes = []
    store = worker.partition()._store
    write = store.write
    store.write = lambda puts, deletes=(): (writes.append(len(puts)), write(puts, deletes))

    worker.checkpoint()

    assert [2] == writes  # the state of one key and the note


def test_a_checkpoint_without_news_writes_nothing(bench):
    """An idle service is idle."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    worker.checkpoint()
    worker.partition()._store.write = None

    worker.checkpoint()

    assert 1 == store_offset(worker)


def test_a_checkpoint_is_due_when_its_interval_is_over(bench, monkeypatch):
    """By the clock that never goes back."""
    now = [100.0]
    for module in (loop_module, checkpoints_module):
        monkeypatch.setattr(module, "monotonic_s", lambda: now[0])
    worker = bench.worker(checkpoint_interval_s=10)
    bench.emit(liked(1))
    now[0] += 9.9
    worker.turn()
    early = store_offset(worker)

    now[0] += 0.2
    worker.turn()

    assert early is None
    assert 1 == store_offset(worker)


def test_a_checkpoint_is_due_when_changes_fill_half_the_cache(bench):
    """Changed states cannot be evicted, so they must not fill it."""
    photos = photos_on(SOURCE.partition, 6)
    worker = bench.worker(cache_entries=10)
    bench.emit(*(liked(1, photo) for photo in photos[:5]))
    worker.turn()
    half = store_offset(worker, photos[0])
    bench.emit(liked(1, photos[5]))

    worker.turn()

    assert half is None
    assert 6 == store_offset(worker, photos[0])


def test_silent_replay_checkpoints_on_its_way(bench, disk):
    """A replay of hours must not start over after a crash, nor keep all its states in memory."""
    photos = photos_on(SOURCE.partition, 20)
    worker = bench.worker()
    bench.emit(*(liked(1, photo) for photo in photos))
    worker.drain()
    worker.crash()
    disk.rows.clear()
    worker = bench.worker(cache_entries=4, poll_records=1)
    worker.turn(8)

    entries = worker.partition(photos[0]).entries
    saved = store_offset(worker, photos[0])

    assert Stage.RESTORING is worker.partition(photos[0]).stage
    assert 0 < saved <= 9
    assert entries <= 4 + 1
    worker.drain()
    assert all({1} == worker.state(photo).users for photo in photos)


def test_memory_stays_bounded_and_no_change_is_lost(bench):
    """States of untouched keys are read from the store again."""
    photos = photos_on(SOURCE.partition, 60)
    worker = bench.worker(cache_entries=10, poll_records=1)
    most = 0
    for user in (1, 2):
        for photo in photos:
            bench.emit(liked(user, photo))
            worker.turn()
            most = max(most, worker.partition(photo).entries)

    worker.drain()

    assert most <= 13
    assert {str(photo): 2 for photo in photos} == bench.counts()


def test_a_crash_between_commit_and_checkpoint_is_repaired_by_replay(bench):
    """The store is behind, never ahead."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    worker.checkpoint()
    bench.emit(liked(2), unliked(1))
    worker.drain()
    worker.crash()
    bench.emit(liked(3))

    worker = bench.worker()
    worker.drain()

    assert {2, 3} == worker.state().users
    assert {"5": 2} == bench.counts()


def test_a_state_survives_in_rocksdb(bench_on_disk):
    """The same over real files: checkpoint, crash, replay, folder given up and taken again."""
    bench = bench_on_disk
    worker = bench.worker()
    bench.emit(liked(1), liked(2, photo_id=7))
    worker.drain()
    worker.checkpoint()
    bench.emit(liked(3))
    worker.drain()
    worker.crash()

    worker = bench.worker()
    worker.drain()

    assert {1, 3} == worker.state().users
    assert {"5": 2, "7": 1} == bench.counts()
    assert (partition_path(bench.home, "bench", *SOURCE) / "db" / "CURRENT").is_file()
    worker.stop()


def test_records_below_the_position_are_not_folded_again(bench):
    """A client may hand them out twice after a seek."""
    worker = bench.worker(poll_records=1)
    bench.emit(liked(1), unliked(1))
    worker.drain()
    worker.consumer.seek(SOURCE, 0)
    worker.turn()

    after_the_first = set(worker.state().users)
    worker.drain()

    assert set() == after_the_first
    assert {"5": 0} == bench.counts()
    assert 2 == len(bench.facts())


def test_records_of_a_partition_that_is_not_owned_are_dropped(bench):
    """They were fetched before it left."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.assignment._release(SOURCE)

    worker.turn()
    worker.commit()

    assert {} == bench.counts()
