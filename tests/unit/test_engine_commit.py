"""One transaction a commit: what it carries, and what became of one that failed."""

from __future__ import annotations

import pytest

from schemas.counters import UserCounters
from services.counters import SERVICE as COUNTERS
from streams.clock import Deadline, Drain
from streams.engine import loop as loop_module
from streams.engine.commit import MAX_FAILURES
from streams.engine.progress import progress_of
from streams.errors import BrokerUnavailable, Fenced, TransactionFailed
from streams.ports.records import Outgoing
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import (
    CATALOG,
    COUNTS,
    INPUT,
    Bench,
    decoded,
    home_of,
    liked,
    photos_on,
    shares_fold,
    unliked,
)

OTHER = photos_on((home_of(5).partition + 1) % 4, 1)[0]


@pytest.fixture
def worker(bench):
    """A worker with an open interval on two partitions."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2, OTHER))
    worker.turn()
    return worker


def watched(worker):
    """Positions and outputs of each commit that the worker's producers are asked for."""
    seen = []
    open_producer = worker.committer._open

    def watch(deadline):
        producer = open_producer(deadline)
        commit = producer.commit

        def record(outputs, positions, member, deadline):
            seen.append((list(outputs), dict(positions), member))
            commit(outputs, positions, member, deadline)

        producer.commit = record
        return producer

    worker.committer._open = watch
    worker.committer._recycle(Deadline.after(5))
    return seen


def test_nothing_is_visible_before_the_commit(bench, worker):
    """Results, facts and offsets are one transaction."""
    before = bench.counts(), bench.facts(), bench.committed(home_of(5)).offset

    worker.commit()

    assert ({}, [], 0) == before
    assert {"5": 1, str(OTHER): 1} == bench.counts()
    assert (2, 1) == (len(bench.facts()), bench.committed(home_of(5)).offset)


def test_a_key_that_changed_often_is_published_once_a_commit(bench, worker):
    """Its newest value is all that a reader of a compacted topic wants."""
    bench.emit(liked(3), unliked(1), liked(4))
    worker.turn()

    worker.commit()

    assert [(5, 2)] == [result for result in bench.results() if result[0] == 5]


def test_a_commit_publishes_only_what_changed_since_the_last_one(bench, worker):
    """A service with millions of keys writes a handful."""
    worker.commit()
    bench.emit(liked(3))
    worker.drain()

    assert sorted([(5, 1), (5, 2), (OTHER, 1)]) == sorted(bench.results())


def test_a_result_says_up_to_where_it_was_folded(bench, worker):
    """`streams offsets restore` finds the committed offset by it."""
    bench.emit(liked(3))
    worker.turn()
    worker.commit()

    headers = {one.key: dict(one.headers) for one in bench.log.records(COUNTS)}
    assert f"{home_of(5)}/1".encode() == headers[b"5"]["source"]
    assert f"{home_of(OTHER)}/0".encode() == headers[str(OTHER).encode()]["source"]


def test_a_commit_that_failed_before_it_took_effect_is_made_up_for(bench, worker):
    """The interval stays open, and the next commit brings it, once."""
    bench.log.fail_next_commit(CommitFault.BEFORE)
    happened = worker.commit()
    after = bench.counts()

    bench.emit(liked(3))
    worker.drain()

    assert (False, {}) == (happened, after)
    assert {"5": 2, str(OTHER): 1} == bench.counts()
    assert [1, 2, 3] == sorted(fact.user_id for fact in bench.facts())


def test_a_commit_whose_answer_was_lost_counts_as_done(bench, worker):
    """Its offsets and counter are there: sending it again would double every fact."""
    bench.log.fail_next_commit(CommitFault.AFTER)
    happened = worker.commit()

    bench.emit(liked(3))
    worker.drain()

    assert happened
    assert {"5": 2, str(OTHER): 1} == bench.counts()
    assert [1, 2, 3] == sorted(fact.user_id for fact in bench.facts())


def test_the_note_beside_an_offset_counts_transactions(bench, worker):
    """A transaction is told from the one before it also where the offset is the same."""
    counts = []
    for user in (3, 4):
        worker.commit()
        counts.append(progress_of(home_of(5), bench.committed(home_of(5)), "bench").count)
        bench.emit(liked(user))
        worker.turn()

    assert [1, 2] == counts


@pytest.mark.parametrize(
    "changes",
    [{"count": 5}, {"generation": "another"}],
    ids=["another owner committed since", "the state was reset meanwhile"],
)
def test_an_outcome_that_is_neither_the_new_nor_the_old_stops_the_worker(bench, worker, changes):
    """Somebody else owns the partition; going on from memory would be a guess."""
    found = bench.committed(home_of(5))
    progress = progress_of(home_of(5), found, "bench")
    other = type(progress)(
        **{**{name: getattr(progress, name) for name in progress.__struct_fields__}, **changes}
    )
    _overwrite(bench, home_of(5), found._replace(metadata=other.text()))
    bench.log.fail_next_commit(CommitFault.BEFORE)

    with pytest.raises(TransactionFailed, match="another worker owns its partitions"):
        worker.commit()


def test_an_outcome_that_differs_between_partitions_stops_the_worker(bench, worker):
    """One transaction cannot have happened for one partition only."""
    old = bench.committed(home_of(5))
    bench.log.fail_next_commit(CommitFault.AFTER)
    read = worker.committer._read_positions
    worker.committer._read_positions = lambda *asked: {**read(*asked), home_of(5): old}

    with pytest.raises(TransactionFailed, match="another worker owns"):
        worker.commit()


def test_offsets_that_vanished_during_a_commit_stop_the_worker(bench, worker):
    """They are not read as those of the transaction before."""
    bench.log.fail_next_commit(CommitFault.BEFORE)
    worker.committer._read_positions = lambda sources, _: dict.fromkeys(sources)

    with pytest.raises(TransactionFailed, match="another worker owns"):
        worker.commit()


def test_transactions_that_keep_failing_end_the_process(bench, worker):
    """A new process has a new client; this one may never come right."""
    for _ in range(MAX_FAILURES):
        bench.log.fail_next_commit(CommitFault.BEFORE)
        worker.commit()
    bench.log.fail_next_commit(CommitFault.BEFORE)

    with pytest.raises(TransactionFailed, match="6 transactions failed in a row"):
        worker.commit()


def test_failures_with_a_success_between_them_do_not_add_up(bench, worker):
    """A worker lives for months."""
    for user in range(2 * MAX_FAILURES):
        bench.emit(liked(100 + user))
        worker.turn()
        bench.log.fail_next_commit(CommitFault.BEFORE)
        worker.commit()
        worker.commit()

    assert 1 + 2 * MAX_FAILURES == bench.counts()["5"]


def test_a_producer_whose_transaction_failed_is_never_used_again(bench, worker):
    """A late answer of the broker could end a later transaction."""
    producer = worker.committer._producer
    bench.log.fail_next_commit(CommitFault.BEFORE)

    worker.commit()

    assert producer is not worker.committer._producer
    assert producer._is_dropped


def test_a_slow_commit_is_followed_by_a_new_producer(bench, worker):
    """It succeeded, but a request may be on its way still."""
    bench.log.fail_next_commit(CommitFault.SLOW)
    worker.commit()
    producer = worker.committer._producer
    bench.emit(liked(3))
    worker.turn()

    worker.commit()

    assert producer is not worker.committer._producer
    assert 2 == bench.counts()["5"]


def test_being_fenced_once_is_survived(bench, worker):
    """As after a transaction that the broker timed out."""
    bench.log.transactions(worker.transactional_id)

    happened = worker.commit()
    worker.commit()

    assert not happened
    assert 1 == bench.counts()["5"]


def test_being_fenced_twice_in_a_row_says_what_to_do(bench, worker):
    """Another process has this state folder's id: two of them would fence each other for ever."""
    bench.log.transactions(worker.transactional_id)
    worker.commit()
    bench.log.transactions(worker.transactional_id)

    with pytest.raises(Fenced, match="another process has this state folder's id"):
        worker.commit()


def test_being_fenced_again_much_later_is_survived(bench, worker):
    """Only a rival does it twice without a commit of ours between."""
    for user in (3, 4):
        bench.log.transactions(worker.transactional_id)
        worker.commit()
        worker.commit()
        bench.emit(liked(user))
        worker.turn()

    worker.commit()

    assert 3 == bench.counts()["5"]


def test_an_interval_without_anything_is_no_transaction(bench, worker):
    """Empty transactions cost the broker as much as full ones."""
    worker.commit()
    seen = watched(worker)

    worker.commit()
    worker.turn()
    worker.commit()

    assert [] == seen


def test_events_that_change_nothing_move_the_offset(bench):
    """Types without a handler are folded by being passed."""
    bench.declare(shares_fold())
    worker = bench.worker()
    bench.emit(liked(1))

    worker.drain()

    assert 1 == bench.committed(home_of(5)).offset


@pytest.mark.parametrize("fault", [None, CommitFault.BEFORE], ids=["committed", "aborted"])
def test_the_position_past_transaction_markers_is_committed(bench, fault):
    """Lag would never be 0 behind a transaction, and nothing could ever be caught up."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    producer = bench.log.transactions("somebody.else")
    event = Outgoing(INPUT, b"5", CATALOG.encoder(type(liked(2))).encode(liked(2)))
    bench.log.fail_next_commit(fault)
    if fault is None:
        producer.commit([event], {}, None)
    else:
        with pytest.raises(TransactionFailed):
            producer.commit([event], {}, None)
        bench.log.expire_transactions()
    before = bench.is_caught_up()

    worker.turn()
    worker.commit()

    assert not before
    assert bench.is_caught_up()
    assert 3 == bench.committed(home_of(5)).offset


def test_a_service_that_reads_what_it_writes_comes_to_rest(tmp_path):
    """Each commit leaves a marker in its own input; the offset past it is committed alone."""
    bench = Bench(tmp_path, *COUNTERS.folds)
    worker = bench.worker()
    bench.emit(liked(3), liked(4))

    worker.drain()
    ends = bench.log.admin().ends(list(worker.owned), committed=False)
    for _ in range(5):
        worker.turn()
        worker.commit()

    users = {
        one.key: decoded(UserCounters, one.value) for one in bench.log.records("counters.users")
    }
    assert 2 == users[b"9"].likes_received
    assert ends == bench.log.admin().ends(list(worker.owned), committed=False)
    assert bench.is_caught_up()


def test_many_waiting_outputs_are_committed_before_the_interval_is_over(bench):
    """A transaction is bounded by size as well as by time."""
    worker = bench.worker(commit_max_outputs=3)
    bench.emit(liked(1))
    worker.turn()
    few = bench.counts()
    bench.emit(liked(2), liked(3))

    worker.turn()

    assert {} == few
    assert {"5": 3} == bench.counts()


def test_a_commit_is_due_when_the_interval_is_over(bench, monkeypatch):
    """By the clock that never goes back."""
    now = [100.0]
    monkeypatch.setattr(loop_module, "monotonic_s", lambda: now[0])
    worker = bench.worker(commit_interval_s=0.2)
    bench.emit(liked(1))
    now[0] += 0.19
    worker.turn()
    early = bench.counts()

    now[0] += 0.02
    worker.turn()

    assert {} == early
    assert {"5": 1} == bench.counts()


def test_a_broker_that_is_away_is_waited_for(bench, worker):
    """No worker dies because of it; what is open stays open."""
    open_producer, absences = worker.committer._open, [1, 2, 3]

    def away(deadline):
        if absences:
            absences.pop()
            raise BrokerUnavailable("no broker")
        return open_producer(deadline)

    worker.committer._open = away
    worker.committer._drain = Drain(5)
    bench.log.fail_next_commit(CommitFault.BEFORE)
    worker.commit()
    worker.commit()

    assert [] == absences
    assert 1 == bench.counts()["5"]


def test_a_worker_that_is_to_stop_does_not_wait_for_a_broker(bench, worker):
    """It has a few seconds from SIGTERM; the next worker settles what is open."""

    def away(_deadline):
        raise BrokerUnavailable("no broker")

    worker.committer._open = away
    bench.log.fail_next_commit(CommitFault.BEFORE)

    with pytest.raises(TransactionFailed, match="goes on from what is committed"):
        worker.commit()


def _overwrite(bench, source, committed):
    bench.log._broker.group("bench").positions[source] = committed
