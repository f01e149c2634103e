"""State folders in memory: rows outlive the crash of a process, as files do."""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field

from streams.ports.records import TopicPartition
from streams.state.folder import MARKER_BYTES, FolderLocked
from streams.state.memory import MemoryStore


class InMemoryMarker(mmap.mmap):
    """Implements `Marker`, in pages that a forked child shares: they outlive that too."""

    def close(self) -> None:
        """Nothing to release; the bytes stay."""


@dataclass(slots=True)
class InMemoryDisk:
    """What the folders of one machine hold, by their names.

    `locks` has the process that owns each; `doomed` are processes that somebody asked to be killed.
    """

    rows: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    aside: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    markers: dict[str, InMemoryMarker] = field(default_factory=dict)
    locks: dict[str, int] = field(default_factory=dict)
    doomed: set[int] = field(default_factory=set)

    def release(self, pid: int) -> None:
        """Let go of everything a process owns, as the system does when it ends."""
        self.locks = {name: holder for name, holder in self.locks.items() if holder != pid}


class InMemoryFolders:
    """Implements `Folders`: a disk as the process `pid` sees it."""

    def __init__(self, disk: InMemoryDisk, pid: int = 1) -> None:
        self._disk = disk
        self._pid = pid

    def take(self, service: str, source: TopicPartition) -> InMemoryFolder:
        """The folder of a partition; FolderLocked while another process owns it."""
        return InMemoryFolder(self._disk, folder_name(service, source), self._pid)

    def take_fresh(self, service: str, source: TopicPartition) -> InMemoryFolder:
        """Another folder for that partition, of this process alone."""
        return InMemoryFolder(self._disk, f"{folder_name(service, source)}.{self._pid}", self._pid)

    def has_store(self, service: str, source: TopicPartition | None = None) -> bool:
        """Whether there is a store of a partition; None: of any."""
        if source is None:
            return any(name.startswith(f"{service}/") for name in self._disk.rows)
        return folder_name(service, source) in self._disk.rows

    def request_kill(self, pid: int) -> None:
        """Note that a process shall be killed."""
        self._disk.doomed.add(pid)

    def place(self, service: str) -> str:
        """Where the folders of a service are."""
        return f"memory:{service}"


class InMemoryFolder:
    """Implements `Folder`."""

    def __init__(self, disk: InMemoryDisk, name: str, pid: int) -> None:
        if name in disk.locks:
            holder = disk.locks[name]
            raise FolderLocked(f"{name} is owned by the process {holder}", holder=holder)
        disk.locks[name] = pid
        self._disk = disk
        self._name = name
        self._pid = pid

    @property
    def has_store(self) -> bool:
        """Whether a store was ever opened here."""
        return self._name in self._disk.rows

    def store(self) -> MemoryStore:
        """Open the store, made empty if there is none."""
        return MemoryStore(self._disk.rows.setdefault(self._name, {}))

    def set_aside(self) -> str:
        """Move the store away; the last one is kept."""
        self._disk.aside[self._name] = self._disk.rows.pop(self._name)
        return f"{self}/aside"

    def marker(self) -> InMemoryMarker:
        """The marker of offsets being folded."""
        return self._disk.markers.setdefault(self._name, InMemoryMarker(-1, MARKER_BYTES))

    def release(self) -> None:
        """Let another process own the folder; releasing twice is fine."""
        if self._disk.locks.get(self._name) == self._pid:
            del self._disk.locks[self._name]

    def __str__(self) -> str:
        return f"memory:{self._name}"


def folder_name(service: str, source: TopicPartition) -> str:
    """What a disk calls the folder of a partition."""
    return f"{service}/{source.topic}-{source.partition}"
