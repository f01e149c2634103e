"""Stops a process in mid-step, so that it holds its connections and answers nobody."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil

from streams.clock import Deadline
from streams.local.process import wait_until

_PATIENCE_S = 10.0
_STOPPED = {"T", "t"}


def freeze(pid: int) -> None:
    """Returns when every thread stands still: a signal takes its time, and threads answer until it.

    SIGCONT lets the process go on.
    """
    os.kill(pid, signal.SIGSTOP)
    assert wait_until(lambda: _is_still(pid), Deadline.after(_PATIENCE_S)), f"{pid} goes on"


def _is_still(pid: int) -> bool:
    tasks = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    if not tasks:  # not Linux
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    return all(_state(task) in _STOPPED for task in tasks)


def _state(task: Path) -> str:
    """The letter after the name, which may hold blanks and brackets itself."""
    try:
        return task.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except FileNotFoundError:  # the thread ended meanwhile
        return "T"
