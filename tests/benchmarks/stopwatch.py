"""Runs one program and measures it from outside, the same way for every system.

A program prints the line `start` when it has its first record and the line `end` when the last
output is committed; between the two lie its time, its CPU seconds and those of the broker. A line
of JSON after that is taken as facts. Whatever it prints besides is its own business.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from streams.clock import Deadline, monotonic_s

_LAST_LINES = 15
_LOOK_S = 0.1


class ProgramFailed(RuntimeError):
    """A program ended without an answer; the message has the end of what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run. `rss_mb` is the peak of the program; `broker_cpu_s` is None for a foreign broker."""

    seconds: float
    cpu_s: float
    rss_mb: float
    broker_cpu_s: float | None
    facts: Mapping[str, Any] = field(default_factory=dict)


def measure(
    command: Sequence[str],
    options: Mapping[str, Any],
    *,
    broker_pid: int | None = None,
    timeout_s: float = 1_200,
) -> Measured:
    """Run `command` with `options` as its one argument, a JSON object.

    Raises ProgramFailed when it fails, says nothing until `timeout_s`, or never says `end`.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        program = subprocess.Popen(
            [*command, json.dumps(options)], stdout=subprocess.PIPE, stderr=errors, text=True
        )
        with program, _Watch(program, timeout_s) as watch:
            marks, facts = _read(program, broker_pid)
        if program.returncode != 0 or len(marks) != 2:
            errors.seek(0)
            said = "".join(errors.readlines()[-_LAST_LINES:])
            raise ProgramFailed(f"{Path(command[-1]).name} exit {program.returncode}:\n{said}")
    start, end = marks
    return Measured(
        seconds=end.at_s - start.at_s,
        cpu_s=end.cpu_s - start.cpu_s,
        rss_mb=watch.peak_mb,
        broker_cpu_s=None if broker_pid is None else end.broker_cpu_s - start.broker_cpu_s,
        facts=facts,
    )


@dataclass(frozen=True, slots=True)
class _Mark:
    at_s: float
    cpu_s: float
    broker_cpu_s: float


class _Watch:
    """Follows the memory of a program, and kills it when its time is over."""

    def __init__(self, program: subprocess.Popen[str], timeout_s: float) -> None:
        self.peak_mb = 0.0
        self._program = program
        self._deadline = Deadline.after(timeout_s)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)

    def __enter__(self) -> _Watch:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            self._look()
            if self._deadline.is_over:
                self._program.kill()

    def _look(self) -> None:
        self.peak_mb = max(self.peak_mb, _peak_mb(self._program.pid))


def _read(
    program: subprocess.Popen[str], broker_pid: int | None
) -> tuple[list[_Mark], Mapping[str, Any]]:
    marks: list[_Mark] = []
    facts: Mapping[str, Any] = {}
    assert program.stdout is not None
    for line in program.stdout:
        if line.strip() in {"start", "end"}:
            marks.append(_mark(program.pid, broker_pid))
        elif len(marks) == 2 and line.startswith("{"):
            facts = json.loads(line)
    return marks, facts


def _mark(pid: int, broker_pid: int | None) -> _Mark:
    at_s = monotonic_s()
    broker_cpu_s = 0.0 if broker_pid is None else _cpu_s(psutil.Process(broker_pid))
    return _Mark(at_s, _cpu_s(psutil.Process(pid)), broker_cpu_s)


def _cpu_s(process: psutil.Process) -> float:
    """Seconds on a core of a process and what it started."""
    times = [one.cpu_times() for one in [process, *process.children(recursive=True)]]
    return sum(one.user + one.system for one in times)


def _peak_mb(pid: int) -> float:
    """Largest resident memory of a process and of what it started so far; 0 once it is dead."""
    try:
        process = psutil.Process(pid)
        return sum(map(_own_peak_mb, [process, *process.children(recursive=True)]))
    except psutil.NoSuchProcess:
        return 0.0


def _own_peak_mb(process: psutil.Process) -> float:
    """As Linux keeps it; what it is now elsewhere."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return float(process.memory_info().rss) / 1e6
    peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return max(peaks, default=0) * 1_024 / 1e6
