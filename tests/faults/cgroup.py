"""Control groups of the kernel, where root may make them: a limit for one process."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from streams.clock import Deadline
from streams.local.process import wait_until

_ROOT = Path("/sys/fs/cgroup")
_EMPTY_WITHIN_S = 5.0
_PERIOD_US = 100_000


class Cgroup:
    """A group of one controller, `memory` or `cpu`, in either version of the kernel's interface."""

    def __init__(self, controller: str) -> None:
        name = f"millrace-{os.getpid()}-{secrets.token_hex(3)}"
        self._is_v2 = (_ROOT / "cgroup.controllers").exists()
        self._folder = (_ROOT if self._is_v2 else _ROOT / controller) / name

    def make(self) -> bool:
        """Whether the kernel lets us."""
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError:
            return False
        return (self._folder / "cgroup.procs").exists()

    def limit_memory(self, size_bytes: int) -> None:
        """What is allocated from now on may not be more; who needs more is killed."""
        names = ("memory.max",) if self._is_v2 else ("memory.limit_in_bytes",)
        self._write(names[0], str(size_bytes))

    def limit_cpu(self, part: float) -> None:
        """At most this part of one processor."""
        quota = int(_PERIOD_US * part)
        if self._is_v2:
            self._write("cpu.max", f"{quota} {_PERIOD_US}")
        else:
            self._write("cpu.cfs_quota_us", str(quota))

    def take(self, pid: int) -> None:
        """Put a process in."""
        with suppress(ProcessLookupError):
            self._write("cgroup.procs", str(pid))

    def drop(self) -> None:
        """Let everybody out, and remove the group."""
        if not self._folder.exists():
            return
        for pid in self._pids():
            with suppress(ProcessLookupError):
                (self._folder.parent / "cgroup.procs").write_text(pid, encoding="ascii")
        wait_until(lambda: not self._pids(), Deadline.after(_EMPTY_WITHIN_S))
        self._folder.rmdir()

    def _pids(self) -> list[str]:
        return (self._folder / "cgroup.procs").read_text(encoding="ascii").split()

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text, encoding="ascii")
