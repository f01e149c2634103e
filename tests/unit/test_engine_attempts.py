"""Attempts that come to nothing as a whole, and partitions that come and go during one."""

from __future__ import annotations

import pytest

from streams.engine.decisions import DecisionKind, decision_of
from streams.engine.stage import Stage
from streams.errors import TransactionFailed
from streams.ports.records import Outgoing
from streams.testing.coordinator import CommitFault
from streams.testing.transactions import InMemoryTransactions
from tests.unit.engine_bench import (
    FACTS,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
)
from tests.unit.mended_folds import (
    RUBBISH,
    answer,
    corrupt,
    mend,
    parked,
    quarantined,
    users,
)

MENDED = {"5": 4, "7": 1}


def kinds(bench, *wanted):
    return [one for one in bench.kinds() if one in wanted]


def two_parked(bench):
    """Two keys of one partition, each with two facts that wait."""
    photos = photos_on(home_of(5).partition, 2)
    worker = bench.worker()
    bench.emit(*(event for one in photos for event in (posted("raise", one), liked(1, one))))
    worker.drain()
    worker.stop()
    bench.declare(likes_fold(is_mended=True))
    bench.ask()
    return [str(photo) for photo in photos]


def test_what_is_too_much_at_once_is_tried_one_by_one(bench, monkeypatch):
    """Outputs wait in memory, and have to fit one transaction."""
    monkeypatch.setattr("streams.engine.attempts.MAX_OUTPUTS", 4)
    photos = two_parked(bench)

    bench.worker().drain()

    assert dict.fromkeys(photos, 2) == bench.counts()
    assert [1, 1, 666, 666] == users(bench)


def test_a_key_that_is_too_much_alone_fails(bench, monkeypatch):
    """Nothing of it is published, and the worker goes on."""
    monkeypatch.setattr("streams.engine.attempts.MAX_OUTPUTS", 2)
    two_parked(bench)
    worker = bench.worker()

    worker.drain()

    assert ["Overloaded"] * 2 == [
        one.reason for one in bench.decisions() if one.kind is DecisionKind.RETRY_FAILED
    ]
    assert ({}, []) == (bench.counts(), users(bench))


def test_a_schema_that_left_fails_a_retry_and_stops_no_worker(bench):
    """A record that was folded long ago is read again only because somebody asked."""
    parked(bench)
    bench.ask()
    corrupt(bench, 2)
    worker = bench.worker()

    worker.drain()

    assert ("retry_failed", "FoldChanged") == (answer(bench).kind, answer(bench).reason)
    assert "found bad magic" in answer(bench).detail
    assert {"5": 1, "7": 1} == bench.counts()


def test_what_can_be_tried_is_not_held_up_by_what_cannot(bench):
    """The same worker, the same partition."""
    _, other = photos_on(home_of(5).partition, 2)
    parked(bench)
    late = bench.put(liked(9, other), value=RUBBISH)
    worker = bench.worker()
    worker.drain()
    mend(bench, late.offset, liked(9, other))
    corrupt(bench, 2)
    bench.ask()

    rounds(worker)

    assert 1 == bench.counts()[str(other)]
    assert ["redriven", "retry_failed"] == sorted(kinds(bench, "redriven", "retry_failed"))


def test_answers_that_cannot_be_committed_become_failures(bench, monkeypatch):
    """Else a partition would try for ever, and its other keys wait."""
    parked(bench)
    bench.ask()
    worker = bench.worker()
    commit = InMemoryTransactions.commit

    def refusing(self, outputs, *others):
        outputs = list(outputs)
        if any(one.topic == FACTS for one in outputs):
            raise TransactionFailed("the broker does not like it")
        commit(self, outputs, *others)

    with monkeypatch.context() as patch:
        patch.setattr(InMemoryTransactions, "commit", refusing)
        rounds(worker)
    failed = answer(bench)
    bench.ask(bench.decisions()[0])
    worker.drain()

    assert ("retry_failed", "not committed") == (failed.kind, failed.reason)
    assert MENDED == bench.counts()


def test_a_retry_counts_no_record_as_folded_again(bench):
    """A person is told how many records a run has folded."""
    parked(bench)
    worker = bench.worker()
    worker.drain()
    before = worker.assignment.folded
    bench.ask()

    worker.drain()

    assert before == worker.assignment.folded


@pytest.mark.parametrize("fault", [None, *CommitFault])
def test_a_partition_that_moves_while_its_answer_waits_is_answered_once(bench, fault):
    """By the commit of its revocation, or by its next owner."""
    parked(bench)
    first = bench.worker()
    first.drain()
    bench.ask()
    first.commit()
    first.turn()
    is_held = first.partition().is_held
    second = bench.worker(slot=1)
    bench.log.fail_next_commit(fault)
    rounds(first, second)

    assert is_held
    assert MENDED == bench.counts()
    assert [1, 2, 3, 7, 666] == users(bench)
    assert ["retried"] == kinds(bench, "retried")


@pytest.mark.parametrize("poll_records", [1, 100])
def test_a_partition_that_stays_while_another_moves_loses_no_record(bench, poll_records):
    """The revocation commits its answer, and what was read meanwhile must be read again."""
    photos = [photos_on(partition, 1)[0] for partition in range(4)]
    first = bench.worker(poll_records=poll_records)
    bench.emit(*(posted("raise", photo) for photo in photos))
    first.drain()
    first.stop()
    bench.declare(likes_fold(is_mended=True))
    first = bench.worker(poll_records=poll_records)
    first.drain()
    bench.ask()
    first.commit()
    for _ in range(20):
        first.turn()
        if all(one.is_held for one in first.owned.values()):
            break
    bench.emit(*(liked(1, photo) for photo in photos))
    first.turn(4)
    second = bench.worker(slot=1, poll_records=poll_records)
    bench.emit(*(liked(2, photo) for photo in photos))
    for _ in range(10):
        first.turn()
        second.turn()
    rounds(first, second)

    assert {str(photo): 3 for photo in photos} == bench.counts()
    assert 4 == len(kinds(bench, "retried"))


def test_a_partition_that_is_lost_while_it_is_tried_is_answered_by_its_next_owner(bench):
    """Nothing of it was published."""
    parked(bench)
    first = bench.worker(poll_records=1)
    first.drain()
    bench.ask()
    first.commit()
    first.turn(2)
    stage = first.partition().stage
    first.consumer.expire()

    first.drain()

    assert Stage.RESTORING is stage
    assert MENDED == bench.counts()
    assert ["retried"] == kinds(bench, "retried")


def test_a_worker_that_is_told_to_stop_while_it_tries_leaves_the_request(bench):
    """The next start answers; nothing that was committed is folded again."""
    parked(bench)
    worker = bench.worker(poll_records=1)
    worker.drain()
    bench.ask()
    worker.commit()
    worker.turn()
    worker.stop()
    asked = bench.kinds()

    bench.worker().drain()

    assert ["parked", "retry_asked"] == asked
    assert MENDED == bench.counts()


def test_an_answer_waits_for_the_transaction_of_a_dead_owner(bench):
    """Requests behind its open transaction are not seen before it is decided."""
    quarantined(bench)
    worker = bench.worker()
    worker.drain()
    bench.log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        bench.log.transactions("dead").commit(
            [Outgoing(bench.service.decisions, b"k", b"never", (), 0)], {}, None
        )
    bench.ask()
    worker.drain()
    before = [decision_of(one).kind for one in bench.log.records(bench.service.decisions)]

    bench.log.expire_transactions()
    worker.drain()

    assert [DecisionKind.QUARANTINED] == before
    assert DecisionKind.REDRIVEN is answer(bench).kind


def rounds(*workers):
    """Each in turn, so that one finds what another gave up."""
    for _ in range(30):
        for worker in workers:
            worker.turn()
            worker.commit()
