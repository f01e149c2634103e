"""A mapping that may grow large: a checkpoint writes only the keys that were set or removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import cache
from typing import Any, Generic, Self, TypeVar, get_args

import msgspec

from streams.state.chunks import Chunked, Rows

K = TypeVar("K")
V = TypeVar("V")


class Entries(MutableMapping[K, V], Chunked):
    """A dict for state with many keys, declared as `Entries[int, int]`.

    Keeps the order in which keys came, also over a reload: a result may walk it. Values are
    replaced (`entries[key] = value`), never changed in place: an in-place change of a value in a
    large mapping would not be saved.
    """

    __slots__ = ("_unsaved", "_values", "rows")

    rows: Rows | None

    def __init__(self, values: Mapping[K, V] | None = None) -> None:
        self._values: dict[K, V] = dict(values or {})
        self._unsaved: _Unsaved[K] | None = None  # most states are small and never need it
        self.rows = None

    def __getitem__(self, key: K) -> V:
        return self._values[key]

    def __setitem__(self, key: K, value: V) -> None:
        if self.rows is not None:
            changed = self._noted.changed
            if key not in self._values:
                changed.pop(key, None)  # a key that comes back comes last
            changed[key] = None
        self._values[key] = value

    def __delitem__(self, key: K) -> None:
        del self._values[key]
        if self.rows is not None:
            self._noted.changed[key] = None
            self._noted.removed.add(key)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Entries({self._values!r})"

    @classmethod
    def load(cls, declared: Any, rows: Sequence[bytes]) -> Self:
        """The mapping from a base and its changes."""
        decoder = _decoder(declared)
        values: dict[Any, Any] = {}
        for row in rows:
            puts, removed = decoder.decode(row)
            for key in removed:
                values.pop(key, None)
            values.update(puts)
        return cls(values)

    def base(self) -> bytes:
        """All entries."""
        return msgspec.msgpack.encode((self._values, ()))

    def delta(self) -> bytes:
        """Entries set and keys removed since `mark`."""
        unsaved = self._unsaved
        if unsaved is None:
            return b""
        puts = {key: self._values[key] for key in unsaved.changed if key in self._values}
        return msgspec.msgpack.encode((puts, list(unsaved.removed)))

    def mark(self) -> None:
        """Everything up to here is saved."""
        self._unsaved = None

    @property
    def _noted(self) -> _Unsaved[K]:
        """Where a change is noted; the next `delta` tells it."""
        if self._unsaved is None:
            self._unsaved = _Unsaved()
        return self._unsaved


class _Unsaved(Generic[K]):
    """Keys set or removed since `mark`, in the order of their last change."""

    __slots__ = ("changed", "removed")

    def __init__(self) -> None:
        self.changed: dict[K, None] = {}
        self.removed: set[K] = set()


@cache
def _decoder(declared: Any) -> msgspec.msgpack.Decoder[tuple[dict[Any, Any], list[Any]]]:
    key, value = get_args(declared) or (Any, Any)
    shape: Any = tuple[dict[key, value], list[key]]  # type: ignore[valid-type] # types at run time
    return msgspec.msgpack.Decoder(shape)
