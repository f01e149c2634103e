"""The in-memory twin of the RocksDB store, for tests and `Fold.replay`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence


class MemoryStore:
    """Implements the `Store` port in a dict, its own unless one is given."""

    def __init__(self, rows: dict[bytes, bytes] | None = None) -> None:
        self.rows = {} if rows is None else rows

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of `keys`, in their order."""
        return [self.rows.get(key) for key in keys]

    def write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """All of it or nothing."""
        for key in deletes:
            self.rows.pop(key, None)
        self.rows.update(puts)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key begins with `prefix`, in key order."""
        for key in sorted(key for key in self.rows if key.startswith(prefix)):
            yield key, self.rows[key]

    def close(self) -> None:
        """Nothing to release."""
