"""A worker from start to end: it stops when it is told to and leaves nothing open."""

from __future__ import annotations

import gc
import os
import signal
import threading

import pytest

from streams.engine import loop as loop_module
from streams.engine.loop import CollectorOff
from streams.engine.slots import Slot
from streams.engine.status import read_statuses
from streams.engine.worker import Worker
from streams.errors import HandlerFailing
from streams.settings import KafkaSettings, WorkerSettings
from streams.state.folder import PartitionFolder, partition_path
from tests.unit.engine_bench import NEVER_S, home_of, liked, likes_fold, photos_on, posted

QUIET = WorkerSettings(http_port=-1, commit_interval_s=NEVER_S, poll_records=2)


@pytest.fixture
def worker_of(bench_on_disk):
    """Makes a worker over the bench's log; `when` is called with each event it folds."""
    bench = bench_on_disk

    def make(when=lambda event: None):
        fold = likes_fold()
        handler = fold.handlers[type(liked(1))]

        def told(fans, event, ctx):
            handler.handle(fans, event, ctx)
            when(event)

        fold.handlers[type(liked(1))] = type(handler)(told, wants_context=True)
        bench.declare(fold)
        return Worker(
            bench.service,
            kafka=KafkaSettings(namespace=""),
            settings=QUIET,
            home=bench.home,
            log=bench.log,
        )

    return make


def test_a_worker_that_is_stopped_commits_what_it_folded(bench_on_disk, worker_of):
    """Nothing is left for the next one to do again."""
    worker = worker_of(lambda event: worker.stop() if event.user_id == 2 else None)
    bench_on_disk.emit(liked(1), liked(2))

    worker.run()

    assert {"5": 2} == bench_on_disk.counts()
    assert 2 == len(bench_on_disk.facts())


def test_a_worker_that_is_stopped_lets_everything_go(bench_on_disk, worker_of):
    """Folder, slot, group and status file: another process may start at once."""
    bench = bench_on_disk
    worker = worker_of(lambda _: worker.stop())
    bench.emit(liked(1))

    worker.run()

    PartitionFolder(partition_path(bench.home, "bench", *home_of(5))).release()
    assert 0 == Slot.take(bench.home, "bench").number
    assert {} == bench.log._broker.group("bench")._members
    assert [] == read_statuses(bench.home, "bench")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_worker_in_good_order(bench_on_disk, worker_of, number):
    """As a container's end or Ctrl-C sends; the handlers of before are put back."""
    before = signal.getsignal(number)
    worker = worker_of(lambda _: os.kill(os.getpid(), number))
    bench_on_disk.emit(liked(1))

    worker.run()

    assert {"5": 1} == bench_on_disk.counts()
    assert before is signal.getsignal(number)


def test_a_worker_runs_in_any_thread(bench_on_disk, worker_of):
    """A program may embed it beside its own work; its signals are left alone."""
    worker = worker_of(lambda _: worker.stop())
    bench_on_disk.emit(liked(1))
    thread = threading.Thread(target=worker.run)

    thread.start()
    thread.join()

    assert {"5": 1} == bench_on_disk.counts()


def test_a_worker_that_needs_a_human_lets_everything_go_too(bench_on_disk, worker_of):
    """The supervisor stops; whoever mends it starts again at once."""
    bench = bench_on_disk
    bench.emit(*(posted("raise", photo) for photo in photos_on(home_of(5).partition, 101)))

    with pytest.raises(HandlerFailing):
        worker_of().run()

    PartitionFolder(partition_path(bench.home, "bench", *home_of(5))).release()
    assert 0 == Slot.take(bench.home, "bench").number


def test_a_worker_that_breaks_off_commits_nothing_more(bench_on_disk, worker_of):
    """The states are those of the middle of a batch, and so are the facts."""

    def run_out(event):
        if event.user_id == 4:
            raise MemoryError

    bench_on_disk.emit(liked(1), liked(2), liked(3), liked(4))

    with pytest.raises(MemoryError):
        worker_of(run_out).run()

    assert 0 == bench_on_disk.committed(home_of(5)).offset
    assert [] == bench_on_disk.facts()


def test_a_worker_that_was_stopped_before_it_began_does_nothing(bench_on_disk, worker_of):
    """SIGTERM can come while it still waits for Kafka."""
    worker = worker_of()
    bench_on_disk.emit(liked(1))
    worker.stop()

    worker.run()

    assert {} == bench_on_disk.counts()


def test_a_second_worker_of_a_home_takes_another_slot(bench_on_disk, worker_of):
    """Two of one transactional id would fence each other."""
    held = Slot.take(bench_on_disk.home, "bench")
    worker = worker_of(lambda _: worker.stop())
    bench_on_disk.emit(liked(1))

    worker.run()

    assert 0 == held.number
    assert {"5": 1} == bench_on_disk.counts()


def test_the_cyclic_collector_is_off_while_folding_and_back_afterwards():
    """It walks all state again and again; the embedding program wants it back."""
    assert gc.isenabled()
    with CollectorOff():
        inside, frozen = gc.isenabled(), gc.get_freeze_count()

    assert not inside
    assert 0 < frozen
    assert gc.isenabled()
    assert 0 == gc.get_freeze_count()


def test_an_idle_worker_collects_what_cycles_left_behind(bench, monkeypatch):
    """With the collector off nobody else does; half a minute apart, and not while there is work."""
    now, collected = [0.0], []
    monkeypatch.setattr(loop_module, "monotonic_s", lambda: now[0])
    monkeypatch.setattr(loop_module.gc, "collect", lambda: collected.append(now[0]))
    worker = bench.worker()

    with CollectorOff():
        collected.clear()
        for now[0] in (29.0, 31.0, 32.0, 62.0):
            worker.turn()
        now[0] = 99.0
        bench.emit(liked(1))
        worker.turn()

    assert [31.0, 62.0] == collected
