"""A checkpoint: every changed state and the offset it belongs to, in one atomic write."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.ports.store import Store
from streams.state.cache import StateCache

_META = b"m"


class CheckpointMeta(msgspec.Struct, frozen=True):
    """What a store holds. `offset` is the next one to fold; `versions` are the folds' versions."""

    offset: int
    generation: str
    versions: dict[str, int]
    topic_id: str
    taken_us: int = 0


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


def drop_fold(store: Store, prefixes: Iterable[bytes]) -> None:
    """Delete every row of a fold that the service no longer declares."""
    for prefix in prefixes:
        store.write({}, [row for row, _ in store.scan(prefix)])
