"""State folders as one simulated process sees them: each call is a place to stand, fail or die."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from streams.ports.records import TopicPartition
from streams.state.folder import MARKER_BYTES
from streams.state.memory import MemoryStore
from streams.testing.folders import InMemoryDisk, InMemoryFolder, InMemoryFolders, InMemoryMarker
from streams.testing.process import Fault, Process

A = TypeVar("A")


class SimulatedFolders:
    """Implements `Folders` for one process."""

    def __init__(self, disk: InMemoryDisk, process: Process) -> None:
        self._folders = InMemoryFolders(disk, process.pid)
        self._process = process

    def take(self, service: str, source: TopicPartition) -> SimulatedFolder:
        """The folder of a partition; FolderLocked while another process owns it."""
        folder = _done(self._process, "lock", lambda: self._folders.take(service, source))
        return SimulatedFolder(folder, self._process)

    def take_fresh(self, service: str, source: TopicPartition) -> SimulatedFolder:
        """Another folder for that partition, of this process alone."""
        return SimulatedFolder(self._folders.take_fresh(service, source), self._process)

    def has_store(self, service: str, source: TopicPartition | None = None) -> bool:
        """Whether there is a store of a partition; None: of any."""
        return self._folders.has_store(service, source)

    def request_kill(self, pid: int) -> None:
        """Ask for a process to be killed."""
        self._folders.request_kill(pid)

    def place(self, service: str) -> str:
        """Where the folders of a service are."""
        return self._folders.place(service)


class SimulatedFolder:
    """Implements `Folder`."""

    def __init__(self, folder: InMemoryFolder, process: Process) -> None:
        self._folder = folder
        self._process = process

    @property
    def has_store(self) -> bool:
        """Whether a store was ever opened here."""
        return self._folder.has_store

    def store(self) -> SimulatedStore:
        """Open the store."""
        store = _done(self._process, "open the store", self._folder.store)
        return SimulatedStore(store, self._process)

    def set_aside(self) -> str:
        """Move the store away."""
        return _done(self._process, "set the store aside", self._folder.set_aside)

    def marker(self) -> InMemoryMarker:
        """A new marker: no record of a simulation kills its process, which is the user's own."""
        return InMemoryMarker(-1, MARKER_BYTES)

    def release(self) -> None:
        """Let another process own the folder."""
        self._folder.release()

    def __str__(self) -> str:
        return str(self._folder)


class SimulatedStore:
    """Implements `Store`."""

    def __init__(self, store: MemoryStore, process: Process) -> None:
        self._store = store
        self._process = process

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of `keys`."""
        return _done(self._process, "read the store", lambda: self._store.get_many(keys))

    def write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """All of it or nothing."""
        _done(self._process, "write the store", lambda: self._store.write(puts, deletes))

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key begins with `prefix`."""
        yield from _done(self._process, "scan the store", lambda: list(self._store.scan(prefix)))

    def close(self) -> None:
        """Nothing to release."""


def _done(process: Process, call: str, step: Callable[[], A]) -> A:
    """One step on the disk; OSError where it fails."""
    fault = process.reach(call)
    if fault in (Fault.FAIL, Fault.LATE):
        raise OSError(f"{call}: no space left on the device")
    done = step()
    if fault is Fault.LOST:
        raise OSError(f"{call}: input/output error")
    return done
