"""Worker processes: started, started again, stopped together, killed when they are stuck."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from streams.engine import process as process_module
from streams.engine import supervisor as supervisor_module
from streams.engine.process import BAD_INPUT, NEEDS_A_HUMAN, TRY_AGAIN
from streams.engine.supervisor import Supervisor, worker_command
from streams.errors import (
    BrokerUnavailable,
    ConfigurationError,
    Fenced,
    OffsetsMissing,
    TransactionFailed,
)
from streams.state.folder import request_kill
from tests.unit.engine_bench import service_of

OBEDIENT = "import sys; sys.stdin.read()"
DEAF = (
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('deaf', flush=True); sys.stdin.read(); signal.pause()"
)


class Clock:
    """Time that a test moves."""

    now_s = 1_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(supervisor_module, "monotonic_s", clock)
    return clock


@pytest.fixture
def supervise(tmp_path, clock):
    """Makes supervisors of small programs, and leaves none of them running."""
    made = []

    def make(program, workers=1, **options):
        def command(service, slot):
            return [sys.executable, "-S", "-c", program, service, str(slot)]

        options = {"drain_s": 20.0, **options}
        made.append(Supervisor("bench", workers, home=tmp_path, command=command, **options))
        return made[-1]

    yield make
    for supervisor in made:
        for child in supervisor._children:
            if child.process is not None:
                child.process.kill()
                child.process.wait()
                child.process.stdin.close()


def processes(supervisor):
    return [child.process for child in supervisor._children]


def end(supervisor):
    """Wait until the only worker has ended."""
    process = processes(supervisor)[0]
    process.wait()
    process.stdin.close()


def test_a_worker_is_started_for_each_slot(supervise):
    """Each has its own transactional id."""
    supervisor = supervise(OBEDIENT, workers=3)

    supervisor.turn()

    assert ["0", "1", "2"] == [process.args[-1] for process in processes(supervisor)]


def test_a_worker_is_this_program_with_its_service_and_slot():
    """The same Python, whatever is on the path."""
    expected = [sys.executable, "-m", "streams.engine.process", "counters", "2"]

    assert expected == worker_command("counters", 2)


@pytest.mark.parametrize(
    "program", ["raise SystemExit(70)", "raise SystemExit(0)", "import os; os.kill(os.getpid(), 9)"]
)
def test_a_worker_that_ended_is_started_again_after_a_pause(supervise, clock, program):
    """Killed, failed or stopped by somebody else: its partitions need it."""
    supervisor = supervise(program)
    supervisor.turn()
    first = processes(supervisor)[0]
    end(supervisor)
    supervisor.turn()
    supervisor.turn()
    during_the_pause = processes(supervisor)[0]

    clock.now_s += 0.21
    supervisor.turn()

    assert during_the_pause is None
    assert first.pid != processes(supervisor)[0].pid


def test_a_worker_that_ends_young_again_and_again_waits_longer_each_time(supervise, clock):
    """A crash loop must not take the machine along. Five seconds are the most: others may wait.

    What a dead worker left in a transaction is aborted by its successor.
    """
    supervisor = supervise("raise SystemExit(70)")
    pauses = []
    for _ in range(9):
        supervisor.turn()
        end(supervisor)
        supervisor.turn()
        child = supervisor._children[0]
        pauses.append(round(child.start_at_s - clock.now_s, 3))
        clock.now_s = child.start_at_s

    assert [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0] == pauses


def test_a_worker_that_lived_long_is_started_again_soon(supervise, clock):
    """Its last crash says nothing about the next start."""
    supervisor = supervise("raise SystemExit(70)")
    for lived_s in (0, 0, 0, 3_600):
        supervisor.turn()
        end(supervisor)
        clock.now_s += lived_s
        supervisor.turn()
        clock.now_s += 10
    child = supervisor._children[0]

    assert 0.1 == round(child.pause_s, 3)


@pytest.mark.parametrize("code", [NEEDS_A_HUMAN, BAD_INPUT])
def test_a_worker_that_needs_a_human_stops_all_of_them(supervise, code):
    """Starting it again would end the same way; the others would hide it."""
    program = f"import sys; sys.exit({code}) if sys.argv[-1] == '1' else sys.stdin.read()"
    supervisor = supervise(program, workers=3)

    found = supervisor.run()

    assert code == found
    assert all(process is None or process.poll() is not None for process in processes(supervisor))


def test_stop_ends_the_workers_in_good_order(supervise):
    """SIGTERM, and time to drain."""
    supervisor = supervise(OBEDIENT, workers=2)
    supervisor.turn()
    workers = processes(supervisor)
    supervisor.stop()

    code = supervisor.run()

    assert 0 == code
    assert [-signal.SIGTERM] * 2 == [worker.returncode for worker in workers]


def test_a_worker_that_does_not_stop_in_time_is_killed(supervise, capfd):
    """Its transaction is aborted by whoever has its slot next."""
    supervisor = supervise(DEAF, drain_s=0.0)
    supervisor.turn()
    worker = processes(supervisor)[0]
    while "deaf" not in capfd.readouterr().out:
        assert worker.poll() is None
    supervisor.stop()

    supervisor.run()

    assert -signal.SIGKILL == worker.returncode


def test_workers_are_stopped_when_everything_is_done(supervise):
    """`streams run --until-caught-up`."""
    answers = [False, True]
    supervisor = supervise(OBEDIENT, is_done=lambda: answers.pop(0))

    code = supervisor.run()

    assert (0, []) == (code, answers)
    assert processes(supervisor)[0].returncode is not None


def test_workers_are_stopped_when_the_question_fails(supervise):
    """An error of the supervisor must not leave workers without one."""

    def is_done():
        raise OffsetsMissing("gone")

    supervisor = supervise(OBEDIENT, is_done=is_done)

    with pytest.raises(OffsetsMissing):
        supervisor.run()
    assert processes(supervisor)[0].returncode is not None


def test_a_worker_that_holds_what_it_lost_is_killed_on_request(supervise, tmp_path):
    """A stopped process keeps its locks; its sister asked for this one."""
    supervisor = supervise(OBEDIENT, workers=2)
    supervisor.turn()
    stuck, sister = processes(supervisor)
    request_kill(tmp_path, stuck.pid)

    supervisor.turn()

    assert -signal.SIGKILL == stuck.wait()
    assert sister.poll() is None


def test_a_process_that_is_no_child_is_never_killed(supervise, tmp_path, monkeypatch):
    """Pids are used again, and a holder may belong to another supervisor."""
    supervisor = supervise(OBEDIENT)
    supervisor.turn()
    worker = processes(supervisor)[0]
    request_kill(tmp_path, worker.pid + 100_000)
    request_kill(tmp_path, 0)

    supervisor.turn()

    assert worker.poll() is None


class ScriptedWorker:
    """Stands in for `Worker`: raises, or waits for `stop`."""

    failure: BaseException | None = None

    def __init__(self, service, *, slot):
        self.stopped = threading.Event()

    def run(self):
        if self.failure is not None:
            raise self.failure
        assert self.stopped.wait(60)

    def stop(self):
        self.stopped.set()


@pytest.fixture
def run_process(monkeypatch):
    """Runs the program of a worker process, which fails in a given way; returns its exit code."""

    def run(failure):
        monkeypatch.setattr(ScriptedWorker, "failure", failure)
        monkeypatch.setattr(process_module, "Worker", ScriptedWorker)
        monkeypatch.setattr(process_module, "load_service", lambda name: service_of())
        monkeypatch.setattr(process_module, "configure", lambda: None)
        return process_module.main(["bench", "0"])

    return run


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (OffsetsMissing("gone"), NEEDS_A_HUMAN),
        (Fenced("twice"), NEEDS_A_HUMAN),
        (ConfigurationError("wrong"), BAD_INPUT),
        (TransactionFailed("often"), TRY_AGAIN),
        (BrokerUnavailable("away"), TRY_AGAIN),
        (OSError("disk full"), TRY_AGAIN),
        (MemoryError(), TRY_AGAIN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_the_exit_code_tells_whether_to_start_again(run_process, failure, code):
    """Only a human's answer changes the first ones; a full disk may heal."""
    assert code == run_process(failure)


def test_a_worker_ends_when_its_supervisor_is_gone(run_process):
    """Its standard input is the life line; here it has ended already."""
    assert 0 == run_process(None)
