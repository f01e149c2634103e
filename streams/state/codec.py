"""States of one fold as rows of a store: one row a key, and rows of its large collections.

Row keys begin with a letter, the fold's name (length first) and the key in msgpack:
`s…` holds the state, `c…` + collection id + sequence a base (0) or a change (1, 2, …).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from streams.errors import FoldChanged
from streams.ports.store import Store
from streams.state.chunks import INLINE_BYTES, INLINE_ITEMS, Chunked, Rows

Key = Any
"""An int, a str, or a tuple of them."""

_INLINE = b"\x00"
_LARGE = b"\x01"


def row_prefixes(fold: str) -> tuple[bytes, bytes]:
    """What every row of a fold begins with: those of states, and those of large collections."""
    name = fold.encode()
    return b"s" + bytes([len(name)]) + name, b"c" + bytes([len(name)]) + name


class StateCodec:
    """Encodes and loads the states of one fold. Owned by the worker's thread."""

    def __init__(self, fold: str, state_type: Any) -> None:
        self._fold = fold
        self._state_prefix, self._chunk_prefix = row_prefixes(fold)
        self._encoder = msgspec.msgpack.Encoder(enc_hook=self._encode_collection)
        self._decoder = msgspec.msgpack.Decoder(state_type, dec_hook=self._decode_collection)
        self._large: dict[Key, set[int]] = {}
        self._found: list[Chunked] = []
        self._loading: tuple[Store, bytes] | None = None

    def load(self, keys: Sequence[Key], store: Store) -> list[Any | None]:
        """The states of `keys`, None where a key has no row.

        Raises FoldChanged when a row is of another shape than the declared state.
        """
        encoded = [msgspec.msgpack.encode(key) for key in keys]
        rows = store.get_many([self._state_prefix + one for one in encoded])
        return [
            None if row is None else self._decode(key, name, row, store)
            for key, name, row in zip(keys, encoded, rows, strict=True)
        ]

    def save(
        self, key: Key, state: Any, puts: dict[bytes, bytes], deletes: list[bytes], store: Store
    ) -> None:
        """Add the rows that bring the store up to `state`; large collections add their changes."""
        name = msgspec.msgpack.encode(key)
        self._found = []
        self._number_new_collections(key)
        row = self._encoder.encode(state)
        if self._found:
            if any(one.rows is None for one in self._found):
                row = self._numbered(state)
            for collection in self._found:
                self._save_collection(name, collection, puts, deletes)
        self._drop_gone(key, name, deletes, store)
        puts[self._state_prefix + name] = row

    def keys(self, store: Store) -> Iterable[Key]:
        """Every key that has a row."""
        skip = len(self._state_prefix)
        for name, _ in store.scan(self._state_prefix):
            yield _key(name[skip:])

    def _number_new_collections(self, key: Key) -> None:
        self._next_id = max(self._large.get(key, ()), default=0) + 1

    def _numbered(self, state: Any) -> bytes:
        """Encode again once every large collection has its id."""
        for collection in self._found:
            if collection.rows is None:
                collection.rows = Rows(self._next_id)
                self._next_id += 1
        self._found = []
        return self._encoder.encode(state)

    def _encode_collection(self, value: Any) -> bytes:
        if not isinstance(value, Chunked):
            raise NotImplementedError(
                f"found a {type(value).__name__} in a fold's state; wanted msgspec-encodable "
                "structs, dicts, sets, Members, MemberSets or Entries"
            )
        if value.rows is None and len(value) <= INLINE_ITEMS:
            base = value.base()
            if len(base) <= INLINE_BYTES:
                return _INLINE + base
        self._found.append(value)
        rows = value.rows or Rows(0)
        return _LARGE + rows.id.to_bytes(4, "big")

    def _decode_collection(self, declared: Any, data: Any) -> Any:
        kind = getattr(declared, "__origin__", declared)
        if not (isinstance(kind, type) and issubclass(kind, Chunked)):
            raise NotImplementedError(f"a fold's state cannot hold {declared}")
        if not isinstance(data, bytes):
            raise TypeError(f"found a saved {type(data).__name__}, wanted a {kind.__name__}")
        if data[:1] == _INLINE:
            return kind.load(declared, [data[1:]])
        assert self._loading is not None  # noqa: S101 set by _decode around every use
        store, name = self._loading
        number = int.from_bytes(data[1:5], "big")
        rows = [row for _, row in store.scan(self._collection(name, number))]
        collection = kind.load(declared, rows)
        collection.rows = Rows(number, len(rows) - 1, len(rows[0]), sum(map(len, rows[1:])))
        collection.mark()
        self._found.append(collection)
        return collection

    def _decode(self, key: Key, name: bytes, row: bytes, store: Store) -> Any:
        self._found = []
        self._loading = (store, name)
        try:
            state = self._decoder.decode(row)
        except msgspec.DecodeError as exc:  # also of a shape that does not fit
            raise FoldChanged(
                f"found a saved state of {self._fold}, key {key!r}, in another shape than the fold "
                f"declares ({exc}); bring the old state type back, or, where the fold's answers "
                "are as before, delete this service's folder below `state` in STREAMS_HOME: the "
                "state is made again from the log; where they are not, raise the fold's version"
            ) from exc
        if self._found:
            self._large[key] = {one.rows.id for one in self._found if one.rows is not None}
        return state

    def _save_collection(
        self, name: bytes, collection: Chunked, puts: dict[bytes, bytes], deletes: list[bytes]
    ) -> None:
        rows = collection.rows
        assert rows is not None  # noqa: S101 numbered before
        prefix = self._collection(name, rows.id)
        delta = collection.delta() if rows.base_bytes else b""
        if rows.base_bytes and not delta:
            return
        if rows.base_bytes and rows.delta_bytes + len(delta) <= rows.base_bytes // 2:
            rows.deltas += 1
            rows.delta_bytes += len(delta)
            puts[prefix + rows.deltas.to_bytes(4, "big")] = delta
        else:
            base = collection.base()
            deletes.extend(prefix + n.to_bytes(4, "big") for n in range(1, rows.deltas + 1))
            rows.deltas, rows.base_bytes, rows.delta_bytes = 0, len(base), 0
            puts[prefix + bytes(4)] = base
        collection.mark()

    def _drop_gone(self, key: Key, name: bytes, deletes: list[bytes], store: Store) -> None:
        before = self._large.get(key)
        now = {one.rows.id for one in self._found if one.rows is not None}
        if before:
            for number in before - now:
                deletes.extend(row for row, _ in store.scan(self._collection(name, number)))
        if now:
            self._large[key] = now
        elif before:
            del self._large[key]

    def _collection(self, name: bytes, number: int) -> bytes:
        return self._chunk_prefix + name + number.to_bytes(4, "big")


def _key(name: bytes) -> Key:
    key = msgspec.msgpack.decode(name)
    return tuple(key) if isinstance(key, list) else key
