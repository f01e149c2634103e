"""Runs N worker processes of a service, starts dead ones again, stops them together."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.clock import Deadline, monotonic_s
from streams.engine.process import BAD_INPUT, NEEDS_A_HUMAN
from streams.logs import get_logger
from streams.state.folder import is_kill_requested

_TURN_S = 0.2
_YOUNG_S = 10.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
"""Short: until its successor aborts what a dead worker left open, nobody is told its positions."""


@dataclass(slots=True)
class Child:
    """One worker process and when it may be started again."""

    slot: int
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    start_at_s: float = 0.0
    pause_s: float = _FIRST_PAUSE_S


def worker_command(service: str, slot: int) -> list[str]:
    """The program of one worker process."""
    return [sys.executable, "-m", "streams.engine.process", service, str(slot)]


class Supervisor:
    """Owns the worker processes of `streams run`. One thread runs it; `stop` from any.

    `is_done` is asked once a turn; when it says so, the workers are stopped and `run` returns 0.
    `command` gives the program of a slot's worker.
    """

    def __init__(
        self,
        service: str,
        workers: int,
        *,
        home: Path,
        drain_s: float,
        is_done: Callable[[], bool] = lambda: False,
        command: Callable[[str, int], Sequence[str]] = worker_command,
    ) -> None:
        self._service = service
        self._command = command
        self._home = home
        self._drain_s = drain_s
        self._is_done = is_done
        self._children = [Child(slot) for slot in range(workers)]
        self._stopping = threading.Event()

    def run(self) -> int:
        """Work until `stop`, `is_done`, or a worker that needs a human; returns the exit code."""
        try:
            while not self._stopping.is_set():
                code = self.turn()
                if code is not None:
                    return code
                self._stopping.wait(_TURN_S)
            return 0
        finally:
            self._stop_children()

    def stop(self) -> None:
        """End `run` soon. Safe from any thread and from a signal."""
        self._stopping.set()

    def turn(self) -> int | None:
        """One round; the exit code when it is time to end."""
        for child in self._children:
            code = self._look_after(child)
            if code is not None:
                return code
        self._kill_holders()
        return 0 if self._is_done() else None

    def _look_after(self, child: Child) -> int | None:
        if child.process is None:
            if monotonic_s() >= child.start_at_s:
                self._start(child)
            return None
        code = child.process.poll()
        if code is None:
            return None
        _close_life_line(child.process)
        child.process = None
        if code in (NEEDS_A_HUMAN, BAD_INPUT):
            get_logger().error(
                "a worker needs a human; stopping", action="stopping", slot=child.slot, code=code
            )
            return code
        is_young = monotonic_s() - child.started_s < _YOUNG_S
        child.pause_s = min(_LONGEST_PAUSE_S, child.pause_s * 2) if is_young else _FIRST_PAUSE_S
        child.start_at_s = monotonic_s() + child.pause_s
        get_logger().warning(
            "worker ended; starting it again", action="restart", slot=child.slot, code=code
        )
        return None

    def _start(self, child: Child) -> None:
        command = self._command(self._service, child.slot)
        child.process = subprocess.Popen(command, stdin=subprocess.PIPE)
        child.started_s = monotonic_s()
        get_logger().info(
            "worker process started", action="spawned", slot=child.slot, pid=child.process.pid
        )

    def _kill_holders(self) -> None:
        """A child that holds a folder it no longer owns (stopped, stuck) is killed."""
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            if is_kill_requested(self._home, process.pid):
                get_logger().warning("killing a stuck worker", action="kill", pid=process.pid)
                process.kill()

    def _stop_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = Deadline.after(self._drain_s)
        for process in running:
            try:
                process.wait(deadline.left_s)
            except subprocess.TimeoutExpired:
                get_logger().warning("worker did not stop in time", action="kill", pid=process.pid)
                process.kill()
                process.wait()
            _close_life_line(process)


def _close_life_line(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
