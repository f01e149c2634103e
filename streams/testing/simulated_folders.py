"""State folders as one simulated process sees them: each call is a place to stand, fail or die."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from streams.ports.records import TopicPartition
from streams.ports.store import Store
from streams.state.folder import MARKER_BYTES
from streams.state.memory import MemoryStore
from streams.testing.folders import InMemoryDisk, InMemoryFolder, InMemoryFolders, InMemoryMarker
from streams.testing.process import Fault, Process

A = TypeVar("A")

Saved = Callable[[TopicPartition, Store], None]
"""Told of each write to the store of a partition, once it took effect."""


class SimulatedFolders:
    """Implements `Folders` for one process."""

    def __init__(self, disk: InMemoryDisk, process: Process, saved: Saved) -> None:
        self._folders = InMemoryFolders(disk, process.pid)
        self._process = process
        self._saved = saved

    def take(self, service: str, source: TopicPartition) -> SimulatedFolder:
        """The folder of a partition; FolderLocked while another process owns it."""
        folder = _done(self._process, "lock", lambda: self._folders.take(service, source))
        return SimulatedFolder(folder, self._process, partial(self._saved, source))

    def take_fresh(self, service: str, source: TopicPartition) -> SimulatedFolder:
        """Another folder for that partition, of this process alone."""
        folder = self._folders.take_fresh(service, source)
        return SimulatedFolder(folder, self._process, partial(self._saved, source))

    def has_store(self, service: str, source: TopicPartition | None = None) -> bool:
        """Whether there is a store of a partition; None: of any."""
        return self._folders.has_store(service, source)

    def request_kill(self, pid: int) -> None:
        """Ask for a process to be killed."""
        self._folders.request_kill(pid)

    def place(self, service: str) -> str:
        """Where the folders of a service are."""
        return self._folders.place(service)


@dataclass(frozen=True, slots=True)
class SimulatedFolder:
    """Implements `Folder`."""

    folder: InMemoryFolder
    process: Process
    saved: Callable[[Store], None]

    @property
    def has_store(self) -> bool:
        """Whether a store was ever opened here."""
        return self.folder.has_store

    def store(self) -> SimulatedStore:
        """Open the store."""
        store = _done(self.process, "open the store", self.folder.store)
        return SimulatedStore(store, self.process, self.saved)

    def set_aside(self) -> str:
        """Move the store away."""
        return _done(self.process, "set the store aside", self.folder.set_aside)

    def marker(self) -> InMemoryMarker:
        """A new marker: no record of a simulation kills its process, which is the user's own."""
        return InMemoryMarker(-1, MARKER_BYTES)

    def release(self) -> None:
        """Let another process own the folder."""
        self.folder.release()

    def __str__(self) -> str:
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class SimulatedStore:
    """Implements `Store`."""

    store: MemoryStore
    process: Process
    saved: Callable[[Store], None]

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of `keys`."""
        return _done(self.process, "read the store", lambda: self.store.get_many(keys))

    def write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """All of it or nothing."""
        _done(self.process, "write the store", lambda: self._write(puts, deletes))

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key begins with `prefix`."""
        yield from _done(self.process, "scan the store", lambda: list(self.store.scan(prefix)))

    def close(self) -> None:
        """Nothing to release."""

    def _write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes]) -> None:
        self.store.write(puts, deletes)
        self.saved(self.store)


def _done(process: Process, call: str, step: Callable[[], A]) -> A:
    """One step on the disk; OSError where it fails."""
    fault = process.reach(call)
    if fault in (Fault.FAIL, Fault.LATE):
        raise OSError(f"{call}: no space left on the device")
    done = step()
    if fault is Fault.LOST:
        raise OSError(f"{call}: input/output error")
    return done
