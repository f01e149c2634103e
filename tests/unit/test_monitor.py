"""What a worker tells others about itself, from before it reaches Kafka until it is live."""

from __future__ import annotations

import logging
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from functools import partial

import pytest

from streams import metrics
from streams.clock import Deadline, monotonic_s
from streams.engine import loop
from streams.engine import monitor as monitors
from streams.engine.assembly import assemble
from streams.engine.first_start import ensure_started
from streams.engine.monitor import Monitor
from streams.engine.opening import Opener
from streams.engine.slots import Slot
from streams.engine.status import read_statuses
from streams.engine.worker import Worker
from streams.errors import BrokerUnavailable, NotFound
from streams.settings import KafkaSettings, WorkerSettings
from tests.unit.engine_bench import drain_begun, home_of, liked, posted


@pytest.fixture
def joining(bench):
    """The parts of a worker that has not joined its group."""
    ensure_started(bench.service, bench.log, bench.folders, Deadline.after(5))
    slot = Slot.take(bench.home, bench.service.name)
    with ExitStack() as stack:
        yield assemble(
            bench.service,
            bench.log,
            stack,
            identity=slot,
            folders=bench.folders,
            settings=WorkerSettings(commit_interval_s=0.001),
            drain=drain_begun(),
        )
    slot.release()


def monitor_of(bench, assignment, log=None):
    return Monitor(
        bench.service,
        0,
        bench.home,
        log or bench.log,
        assignment=assignment,
        turned_s=monotonic_s,
    )


def seen_while_opening(monkeypatch, monitor):
    """What the monitor says inside `Opener.open`, one item a call."""
    seen, opened = [], Opener.open

    def open_and_look(*args):
        seen.append((monitor.state, monitor.is_ready))
        return opened(*args)

    monkeypatch.setattr(Opener, "open", open_and_look)
    return seen


def sample(name, **labels):
    return metrics.registry().get_sample_value(name, labels)


def wait_for(is_so):
    deadline, pause = Deadline.after(30), threading.Event()
    while not is_so():
        assert not deadline.is_over
        pause.wait(0.02)


def test_a_worker_that_did_not_join_is_starting(bench, joining):
    """It owns nothing, which alone would pass for live."""
    monitor = monitor_of(bench, joining.assignment)

    joining.join()

    assert (monitor.state, monitor.is_ready) == ("starting", False)


def test_a_worker_that_opens_its_first_partitions_is_starting(bench, joining, monkeypatch):
    """Opening may wait a minute for a dead owner's transaction."""
    monitor = monitor_of(bench, joining.assignment)
    seen = seen_while_opening(monkeypatch, monitor)
    joining.join()

    joining.loop.turn()

    assert seen == [("starting", False)]
    assert (monitor.state, monitor.is_ready) == ("live", True)


def test_a_worker_that_opens_more_is_restoring(bench, monkeypatch):
    """What came is not answered for until it is open."""
    first, second = bench.worker(), bench.worker(slot=1)
    first.turn()
    second.turn()
    monitor = monitor_of(bench, first.assignment)
    seen = seen_while_opening(monkeypatch, monitor)

    second.stop()
    first.turn()

    assert seen == [("restoring", False)]
    assert monitor.is_ready


def test_a_worker_that_restores_is_restoring(bench):
    """Its results would be missing what was committed before."""
    worker = bench.worker()
    bench.emit(*map(liked, range(5)))
    worker.drain()
    worker.crash()
    worker = bench.worker(poll_records=1)
    monitor = monitor_of(bench, worker.assignment)

    restoring = monitor.state
    worker.drain()

    assert restoring == "restoring"
    assert monitor.state == "live"


def test_a_worker_for_whom_nothing_is_left_is_live(bench, joining):
    """A group with KIP-848 never calls it; it stands by, and is ready to."""
    joining.consumer.subscribe([], joining.assignment)
    monitor = monitor_of(bench, joining.assignment)

    wait_for(lambda: joining.loop.turn() or monitor.state != "starting")

    assert monitor.is_ready
    assert joining.assignment.partitions == []


def test_the_monitor_goes_on_after_a_fault_and_tells_it_once(bench, monkeypatch, caplog):
    """A topic that is gone must not freeze the status file of a worker that lives."""
    monkeypatch.setattr(monitors, "_INTERVAL_S", 0.01)
    monkeypatch.setattr(monitors, "_LAG_INTERVAL_S", 0.0)
    calls = []

    class FailingLog:
        def admin(self):
            calls.append(len(calls))
            raise NotFound("gone") if len(calls) % 2 else KeyError("odd")

    worker = bench.worker()
    with caplog.at_level(logging.DEBUG), monitor_of(bench, worker.assignment, FailingLog()):
        wait_for(lambda: len(calls) > 6)

    told = [one for one in caplog.records if "monitor skipped a turn" in one.getMessage()]
    assert [one.levelno for one in told] == [logging.WARNING] * 2


def test_the_lag_is_what_was_not_folded(bench):
    """Of each partition the worker owns, also of those where nothing waits."""
    worker = bench.worker(poll_records=1)
    bench.emit(*map(liked, range(5)))
    worker.turn(2)
    monitor = monitor_of(bench, worker.assignment)

    monitor._measure_lag()

    found = {
        one.partition: sample(
            "streams_lag_records",
            service="bench",
            topic=one.topic,
            partition=str(one.partition),
        )
        for one in worker.owned
    }
    assert {one.partition: 3 if one == home_of(5) else 0 for one in worker.owned} == found


def test_quarantined_records_and_parked_keys_are_counted(bench):
    """An alert on either must go off at the first one."""
    refused = partial(
        sample, "streams_quarantined_records_total", service="bench", reason="bad magic"
    )
    parked = partial(sample, "streams_parked_keys_total", service="bench", fold="likes")
    before = refused() or 0, parked() or 0
    worker = bench.worker()
    bench.put(liked(1), value=b"rubbish")
    bench.emit(posted("raise"))

    worker.drain()

    assert (before[0] + 1, before[1] + 1) == (refused(), parked())


def test_a_worker_that_waits_for_kafka_is_alive_but_not_ready(bench, monkeypatch):
    """To be restarted would not bring its broker back."""
    monkeypatch.setattr(loop, "monotonic_s", lambda: -1e6)  # as if built long ago
    monkeypatch.setattr(monitors, "_INTERVAL_S", 0.01)
    tried = threading.Event()

    def unreachable(*_):
        tried.set()
        raise BrokerUnavailable("no broker")

    monkeypatch.setattr(bench.log, "transactions", unreachable)
    worker = Worker(
        bench.service,
        kafka=KafkaSettings(namespace=""),
        settings=WorkerSettings(http_port=0),
        home=bench.home,
        log=bench.log,
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert tried.wait(30)
        wait_for(lambda: any(one.http for one in read_statuses(bench.home, "bench")))
        port = read_statuses(bench.home, "bench")[0].http
        answers = status(port, "/livez"), status(port, "/readyz")
    finally:
        worker.stop()
        thread.join()

    assert answers == ((200, '"starting"'), (503, '"starting"'))


def status(port, path):
    """The status of an answer, and the state in its body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, _state(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, _state(refused)


def _state(answer):
    return answer.read().decode().rpartition(": ")[2].rstrip("}")
