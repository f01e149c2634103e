"""The folder of one partition of a service: its lock, its store, and what was set aside.

<STREAMS_HOME>/state/<service>/<topic>-<partition>/
lock       held (flock) by the one owner
db/        RocksDB
aside/     the last store that did not fit its committed offset
inflight   offsets being folded, for the check after an unclean end
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

from streams.errors import StreamsError
from streams.state.rocks import RocksStore


class FolderLocked(StreamsError):
    """Another process owns the folder; `holder` is its pid, 0 when unknown."""

    def __init__(self, message: str, *, holder: int) -> None:
        super().__init__(message)
        self.holder = holder


class PartitionFolder:
    """One owner's hold on the folder. Owned by the worker's thread."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock: IO[str] | None = _locked(path / "lock")

    @property
    def has_store(self) -> bool:
        """Whether a checkpoint was ever written here."""
        return (self.path / "db" / "CURRENT").is_file()

    @property
    def inflight(self) -> Path:
        """The marker of offsets being folded."""
        return self.path / "inflight"

    def store(self) -> RocksStore:
        """Open the store, made empty if there is none."""
        return RocksStore(self.path / "db")

    def set_aside(self) -> Path:
        """Move the store away; the last one set aside is kept for a look, older ones go."""
        aside = self.path / "aside"
        shutil.rmtree(aside, ignore_errors=True)
        (self.path / "db").rename(aside)
        return aside

    def release(self) -> None:
        """Let another process own the folder; releasing twice is fine."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()


def request_kill(home: Path, pid: int) -> None:
    """Ask the supervisor of `pid`, if there is one, to kill a worker that keeps a folder locked."""
    folder = home / "run" / "kill"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(pid)).touch()


def is_kill_requested(home: Path, pid: int) -> bool:
    """Whether a worker asked for this pid to be killed; told once."""
    file = home / "run" / "kill" / str(pid)
    if not file.exists():
        return False
    file.unlink(missing_ok=True)
    return True


def partition_path(home: Path, service: str, topic: str, partition: int) -> Path:
    """Where a partition of a service keeps its state."""
    return home / "state" / service / f"{topic}-{partition}"


def _locked(path: Path) -> IO[str]:
    lock = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        text = lock.read().strip()
        lock.close()
        raise FolderLocked(
            f"{path.parent} is owned by the process {text or '?'}",
            holder=int(text) if text.isdigit() else 0,
        ) from None
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
