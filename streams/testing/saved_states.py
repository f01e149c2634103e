"""What is saved on a simulated disk, held against a plain fold."""

from __future__ import annotations

from typing import Any

from streams.ports.store import Store
from streams.state.checkpoint import read_meta
from streams.state.codec import StateCodec
from streams.state.memory import MemoryStore
from streams.testing.plain_fold import PlainFold
from streams.testing.referee import Finding, Judged


def wrong_store(judged: Judged, store: Store) -> Finding | None:
    """What is wrong with the store of a partition, just after it was written.

    It may be behind what is committed, never ahead; where both are at one offset its states are
    those of a plain fold.
    """
    meta = read_meta(store)
    if meta is None or meta.offset < judged.at:
        return None
    if meta.offset > judged.at:
        return Finding(
            "store",
            f"a store of {judged.source} is ahead of what is committed",
            (f"committed {judged.at}", f"saved {meta.offset}"),
        )
    for fold in judged.folds:
        found = _wrong_state(fold, store)
        if found is not None:
            return found
    return None


def _wrong_state(fold: PlainFold, store: Store) -> Finding | None:
    codec = StateCodec(fold.fold.name, fold.fold.fold.state)
    keys = list(codec.keys(store))
    found = dict(zip(keys, codec.load(keys, store), strict=True))
    for key in sorted(found.keys() | fold.states.keys(), key=repr):
        if not _is_same(fold, key, found.get(key)):
            return Finding(
                "state",
                f"the saved state of {fold.fold.name}, key {key!r}, is wrong",
                (f"expected {fold.states.get(key)!r}", f"found    {found.get(key)!r}"),
            )
    return None


def _is_same(fold: PlainFold, key: Any, found: Any) -> bool:
    """Whether a saved state is that of the plain fold: equal, or at least equal when saved."""
    expected = fold.states.get(key)
    if found == expected:
        return True
    if found is None or expected is None:
        return False
    return _rows(fold, key, found) == _rows(fold, key, expected)


def _rows(fold: PlainFold, key: Any, state: Any) -> dict[bytes, bytes]:
    puts: dict[bytes, bytes] = {}
    StateCodec(fold.fold.name, fold.fold.fold.state).save(key, state, puts, [], MemoryStore())
    return puts
