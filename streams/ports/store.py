"""Where a worker keeps state: a key-value store with atomic batches, in a folder with one owner.

`streams.state` has RocksDB in real folders; `streams.testing` has folders in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from streams.ports.records import TopicPartition


class Store(Protocol):
    """Rows of one partition of a service. One thread owns it.

    Every call may raise StoreDamaged. Then the store is set aside, and made again from the log.
    """

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of `keys`, in their order."""

    def write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """All of it or nothing, and durable against a kill of this process."""

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key begins with `prefix`, in key order."""

    def close(self) -> None:
        """Release files and locks; closing twice is fine."""


class Marker(Protocol):
    """Sixteen bytes that outlive a kill of the process that writes them."""

    def __getitem__(self, at: slice, /) -> bytes | bytearray: ...
    def __setitem__(self, at: slice, value: bytes, /) -> None: ...

    def close(self) -> None:
        """Release the file; the bytes stay."""


class Folder(Protocol):
    """One owner's hold on the folder of a partition of a service. One thread owns it."""

    @property
    def has_store(self) -> bool:
        """Whether a store was ever opened here."""

    def store(self) -> Store:
        """Open the store, made empty if there is none."""

    def set_aside(self) -> str:
        """Move the store away; says where to. Older ones that were set aside go."""

    def marker(self) -> Marker:
        """The marker of offsets being folded; zeros in a new folder."""

    def release(self) -> None:
        """Let another process own the folder; releasing twice is fine."""

    def __str__(self) -> str:
        """Where it is, for people."""


class Folders(Protocol):
    """The folders of one machine, as one process sees them. Safe from any thread."""

    def take(self, service: str, source: TopicPartition) -> Folder:
        """The folder of a partition; FolderLocked while another process owns it."""

    def take_fresh(self, service: str, source: TopicPartition) -> Folder:
        """Another folder for that partition, of this process alone."""

    def has_store(self, service: str, source: TopicPartition | None = None) -> bool:
        """Whether there is a store of a partition; None: of any."""

    def request_kill(self, pid: int) -> None:
        """Ask the supervisor of `pid`, if there is one, to kill a worker that holds a folder."""

    def place(self, service: str) -> str:
        """Where the folders of a service are, for people."""
