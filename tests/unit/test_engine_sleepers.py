"""Workers that were stopped between two calls, as by SIGSTOP, and go on with what they had read."""

from __future__ import annotations

from streams.clock import Deadline
from streams.engine import commit as commit_module
from streams.engine import opening
from streams.engine.first_start import ensure_started
from streams.testing.consumer import InMemoryConsumer
from streams.testing.transactions import InMemoryTransactions
from tests.unit.engine_bench import liked


def test_a_worker_that_sleeps_in_its_first_start_does_not_take_a_sisters_work_for_a_lost_group(
    bench, monkeypatch
):
    """The sister committed offsets, folded, published and saved since they were found missing."""
    asked, sisters = InMemoryConsumer.committed, []

    def committed_long_ago(consumer, *args):
        found = asked(consumer, *args)
        if not sisters:
            sisters.append(None)
            bench.emit(liked(1))
            sisters[0] = bench.worker()
            sisters[0].drain()
            sisters[0].checkpoint()
        return found

    monkeypatch.setattr(InMemoryConsumer, "committed", committed_long_ago)
    ensure_started(bench.service, bench.log, bench.folders, Deadline.after(5))
    sisters[0].drain()

    assert {"5": 1} == bench.counts()


def test_a_worker_that_sleeps_after_it_asked_for_offsets_finds_no_newer_store(bench, monkeypatch):
    """Whoever owns the partition meanwhile must not check a store in behind those offsets."""
    monkeypatch.setattr(opening, "LOCK_PATIENCE_S", 0.0)
    monkeypatch.setattr(opening, "KILL_PATIENCE_S", 0.0)
    bench.emit(liked(1))
    first = bench.worker()
    first.drain()
    first.stop()
    bench.emit(liked(2))
    asked, overtakers = InMemoryConsumer.committed, []

    def committed_long_ago(consumer, *args):
        found = asked(consumer, *args)
        if consumer.member().generation > 0 and not overtakers:
            consumer.expire()
            overtakers.append(None)
            overtakers[0] = bench.worker(slot=1)
            overtakers[0].drain()
            overtakers[0].stop()
        return found

    monkeypatch.setattr(InMemoryConsumer, "committed", committed_long_ago)
    sleeper = bench.worker()
    sleeper.drain()

    assert overtakers
    assert {"5": 2} == bench.counts()
    assert {1, 2} == sleeper.state().users


def test_a_worker_that_sleeps_twice_beyond_the_transactions_time_is_no_rival_of_itself(
    bench, monkeypatch
):
    """The broker aborted what was open too long, and fenced whoever had it open."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    now = [0.0]
    monkeypatch.setattr(commit_module, "monotonic_s", lambda: now[0])
    send = InMemoryTransactions.send_positions

    def send_after_a_sleep(producer, *args):
        send(producer, *args)
        now[0] += 15.0
        bench.log.expire_transactions()

    with monkeypatch.context() as asleep:
        asleep.setattr(InMemoryTransactions, "send_positions", send_after_a_sleep)
        happened = [worker.commit() for _ in range(3)]
    worker.commit()

    assert [False] * 3 == happened
    assert {"5": 1} == bench.counts()
