"""A checkpoint: every changed state and the offset it belongs to, in one atomic write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

import msgspec

from streams.ports.store import Store
from streams.state.cache import StateCache
from streams.state.codec import row_prefixes

_META = b"m"
_DROP_AT_ONCE = 10_000


class CheckpointMeta(msgspec.Struct, frozen=True):
    """What a store holds. `offset` is the next one to fold; `versions` are the folds' versions.

    `readmitted` counts the decisions by which skipped records were folded after all, as far as the
    states hold them.
    """

    offset: int
    generation: str
    versions: dict[str, int]
    topic_id: str
    readmitted: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CheckpointMeta)


def read_meta(store: Store) -> CheckpointMeta | None:
    """What the store holds, None when nothing was ever written."""
    row = store.get_many([_META])[0]
    return None if row is None else _decoder.decode(row)


def write_checkpoint(store: Store, meta: CheckpointMeta, caches: Iterable[StateCache]) -> int:
    """Write the changed states of all `caches` with `meta`; returns the bytes written."""
    puts: dict[bytes, bytes] = {}
    deletes: list[bytes] = []
    caches = list(caches)
    for cache in caches:
        cache.rows(puts, deletes, store)
    puts[_META] = _encoder.encode(meta)
    store.write(puts, deletes)
    for cache in caches:
        cache.saved()
    return sum(map(len, puts)) + sum(map(len, puts.values()))


def drop_folds(store: Store, meta: CheckpointMeta, folds: Collection[str]) -> None:
    """Forget folds that the service no longer declares, and delete their rows.

    First the note about them, so that a program that still declares them finds a store that does
    not fit, and never one that is half empty.
    """
    left = {fold: version for fold, version in meta.versions.items() if fold not in folds}
    store.write({_META: _encoder.encode(msgspec.structs.replace(meta, versions=left))})
    for fold in folds:
        for prefix in row_prefixes(fold):
            for rows in _slices(store.scan(prefix)):
                store.write({}, rows)


def _slices(rows: Iterator[tuple[bytes, bytes]]) -> Iterator[list[bytes]]:
    while keys := [key for key, _ in islice(rows, _DROP_AT_ONCE)]:
        yield keys
