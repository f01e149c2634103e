"""A key-value store with atomic batches; `streams.state` has RocksDB and an in-memory twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol


class Store(Protocol):
    """Rows of one partition of a service. One thread owns it."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of `keys`, in their order."""

    def write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """All of it or nothing, and durable against a kill of this process."""

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key begins with `prefix`, in key order."""

    def close(self) -> None:
        """Release files and locks; closing twice is fine."""
