"""`quarantine redrive`: a record that decodes by now is folded after all, behind what came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.social import PhotoShared
from streams.engine.decisions import DecisionKind
from tests.unit.engine_bench import (
    Bench,
    break_off,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
    shares_fold,
    unliked,
)
from tests.unit.mended_folds import (
    RUBBISH,
    answer,
    mend,
    quarantined,
    users,
)


def test_a_record_that_decodes_by_now_is_folded_and_published_once(bench):
    """It is late, not lost."""
    quarantined(bench)
    bench.ask()

    bench.worker().drain()

    assert ["quarantined", "redrive_asked", "redriven"] == bench.kinds()
    assert (1, 3) == (answer(bench).original, answer(bench).at)
    assert {"5": 2} == bench.counts()
    assert [1, 1, 2, 3] == users(bench)


def test_a_running_worker_hears_of_it(bench):
    """Without a restart, and without a new record."""
    quarantined(bench)
    worker = bench.worker()
    worker.drain()

    bench.ask()
    worker.drain()

    assert {"5": 2} == bench.counts()


def test_a_fact_of_a_redriven_record_has_the_id_of_its_record(bench):
    """It is the fact that would have been emitted in time."""
    quarantined(bench)
    bench.ask()
    bench.worker().drain()
    other = Bench(bench.home / "other")
    other.emit(liked(1), liked(2), unliked(1), liked(3))
    other.worker().drain()

    found, wanted = (
        {fact.user_id: fact.event_id for fact in one.facts()} for one in (bench, other)
    )

    assert wanted == found


def test_what_still_does_not_decode_stays_in_quarantine_and_says_so(bench):
    """It can be asked for again when its schema is there."""
    worker = bench.worker()
    bench.put(liked(2), value=RUBBISH)
    worker.drain()
    bench.ask()
    worker.drain()
    failed = answer(bench)
    mend(bench, 0, liked(2))
    bench.ask()

    worker.drain()

    assert (DecisionKind.REDRIVE_FAILED, "bad magic", 0) == (
        failed.kind, failed.reason, failed.original,
    )  # fmt: skip
    assert {"5": 1} == bench.counts()


def test_a_record_in_a_foreign_partition_stays_in_quarantine(bench):
    """Its key's state is elsewhere, whatever its bytes say."""
    worker = bench.worker()
    bench.put(liked(1), partition=(home_of(5).partition + 1) % 4)
    bench.put(liked(1), value=None)
    worker.drain()
    bench.ask()

    worker.drain()

    assert {"wrong partition", "no value"} == {
        one.reason for one in bench.decisions() if one.kind is DecisionKind.REDRIVE_FAILED
    }
    assert {} == bench.counts()


def test_a_record_that_no_fold_handles_any_more_is_redriven_without_a_trace(bench):
    """It says nothing to them."""
    quarantined(bench)
    mend(bench, 1, PhotoShared(share_id=1, photo_id=5, owner_id=9, user_id=2))
    bench.ask()

    bench.worker().drain()

    assert DecisionKind.REDRIVEN is answer(bench).kind
    assert {"5": 1} == bench.counts()


@pytest.mark.parametrize("caption", ["raise", "break the result"])
def test_a_record_on_which_the_fold_raises_stays_in_quarantine(bench, caption):
    """All of it or nothing: the other fold does not keep its half either, and no key is parked."""
    quarantined(bench, likes_fold(), shares_fold())
    mend(bench, 1, posted(caption))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    bench.emit(liked(4))

    worker.drain()

    assert ("redrive_failed", "HandlerError") == (answer(bench).kind, answer(bench).reason)
    assert {"5": 2} == bench.counts()
    assert {3, 4} == worker.state().users
    assert [1, 1, 3, 4] == users(bench)


def test_of_several_records_each_succeeds_or_fails_on_its_own(bench):
    """Some of the same key, too."""
    photo, other = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    for _ in range(5):
        bench.put(liked(1, photo), value=RUBBISH)
    worker.drain()
    worker.stop()
    mend(bench, 0, liked(1, photo))
    mend(bench, 1, posted("raise", photo))
    mend(bench, 3, posted("break the result", photo))
    mend(bench, 4, liked(2, other))
    entries = bench.log._broker.partition(home_of(5))._entries
    entries[4] = replace(entries[4], record=replace(entries[4].record, key=str(other).encode()))
    bench.ask()
    worker = bench.worker()

    worker.drain()

    answers = {
        one.original: one.kind.value for one in bench.decisions() if one.original is not None
    }
    assert {"redriven": {0, 4}, "redrive_failed": {1, 2, 3}} == {
        kind: {at for at, found in answers.items() if found == kind} for kind in answers.values()
    }
    assert {str(photo): 1, str(other): 1} == bench.counts()
    assert [1, 2] == users(bench)


def test_a_record_that_retention_removed_stays_in_quarantine(bench):
    """The owner folds what stands in the log, never a copy."""
    quarantined(bench)
    bench.log.delete_records(home_of(5), before=2)
    bench.ask()

    bench.worker().drain()

    assert ("redrive_failed", "gone") == (answer(bench).kind, answer(bench).reason)


def test_a_record_that_kills_the_process_costs_one_crash(bench):
    """The next owner tries it in a child process, and puts it back."""
    quarantined(bench)
    mend(bench, 1, posted("die"))
    bench.ask()
    break_off(bench, home_of(5), 1, 2)
    worker = bench.worker()
    bench.emit(liked(4))

    worker.drain()

    assert ("redrive_failed", "kills the process") == (answer(bench).kind, answer(bench).reason)
    assert {"5": 2} == bench.counts()


def test_a_retried_key_that_kills_the_process_costs_one_crash(bench):
    """Mended badly: it raised before, and ends the process now."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"), posted("die"))
    worker.drain()
    worker.stop()
    bench.ask()
    fold = likes_fold()
    handler = fold.handlers[type(posted(""))]

    def dies(fans, event, ctx):
        if event.caption == "die":
            handler.handle(fans, event, ctx)

    fold.handlers[type(posted(""))] = type(handler)(dies, wants_context=True)
    bench.declare(fold)
    break_off(bench, home_of(5), 2, 3)
    worker = bench.worker()

    worker.drain()

    assert ("retry_failed", "ProcessKilled", 2) == (
        answer(bench).kind, answer(bench).reason, answer(bench).raised_at,
    )  # fmt: skip
    assert {"5": 1} == bench.counts()


def test_more_records_than_fit_one_transaction_are_all_answered(bench, monkeypatch):
    """Whole deployments of a producer may be undecodable."""
    monkeypatch.setattr("streams.engine.attempts.MAX_REQUESTS", 3)
    worker = bench.worker()
    for _ in range(10):
        bench.put(liked(0), value=RUBBISH)
    worker.drain()
    for at in range(10):
        mend(bench, at, liked(at))
    bench.ask()

    worker.drain()

    assert {"5": 10} == bench.counts()
    assert list(range(10)) == users(bench)
