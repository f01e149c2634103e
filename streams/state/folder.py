"""The folder of one partition of a service: its lock, its store, and what was set aside.

<STREAMS_HOME>/state/<service>/<topic>-<partition>/
lock       held (flock) by the one owner
db/        RocksDB
aside/     the last store that did not fit its committed offset
inflight   offsets being folded, for the check after an unclean end
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
from pathlib import Path
from typing import IO

from streams.errors import StreamsError
from streams.ports.records import TopicPartition
from streams.state.rocks import RocksStore

MARKER_BYTES = 16


class FolderLocked(StreamsError):
    """Another process owns the folder; `holder` is its pid, 0 when unknown."""

    def __init__(self, message: str, *, holder: int) -> None:
        super().__init__(message)
        self.holder = holder


class PartitionFolder:
    """One owner's hold on the folder. Implements `Folder`; owned by the worker's thread."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock: IO[str] | None = _locked(path / "lock")

    @property
    def has_store(self) -> bool:
        """Whether a store was ever opened here."""
        return (self.path / "db").is_dir()

    def store(self) -> RocksStore:
        """Open the store, made empty if there is none; StoreDamaged."""
        return RocksStore(self.path / "db")

    def set_aside(self) -> str:
        """Move the store away; the last one set aside is kept for a look, older ones go."""
        aside = self.path / "aside"
        shutil.rmtree(aside, ignore_errors=True)
        (self.path / "db").rename(aside)
        return str(aside)

    def marker(self) -> mmap.mmap:
        """The marker of offsets being folded, in a mapped file."""
        return mapped(self.path / "inflight")

    def release(self) -> None:
        """Let another process own the folder; releasing twice is fine."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def __str__(self) -> str:
        return str(self.path)


class StateFolders:
    """The folders below one STREAMS_HOME. Implements `Folders`."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def take(self, service: str, source: TopicPartition) -> PartitionFolder:
        """The folder of a partition; FolderLocked while another process owns it."""
        return PartitionFolder(partition_path(self._home, service, *source))

    def take_fresh(self, service: str, source: TopicPartition) -> PartitionFolder:
        """Another folder for that partition, of this process alone."""
        path = partition_path(self._home, service, *source)
        return PartitionFolder(path.with_name(f"{path.name}.{os.getpid()}"))

    def has_store(self, service: str, source: TopicPartition | None = None) -> bool:
        """Whether there is a store of a partition; None: of any."""
        if source is None:
            return any((self._home / "state" / service).glob("*/db"))
        return (partition_path(self._home, service, *source) / "db").is_dir()

    def request_kill(self, pid: int) -> None:
        """Ask the supervisor of `pid`, if there is one, to kill a worker that holds a folder."""
        request_kill(self._home, pid)

    def place(self, service: str) -> str:
        """Where the folders of a service are."""
        return str(self._home / "state" / service)


def mapped(path: Path) -> mmap.mmap:
    """The marker in a file, which is made anew if it is no marker."""
    if not path.is_file() or path.stat().st_size != MARKER_BYTES:
        path.write_bytes(bytes(MARKER_BYTES))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), MARKER_BYTES)


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
