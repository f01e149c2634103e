"""The bounded cache: whatever is forgotten is found again, and nothing changed is forgotten."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.state.cache import StateCache
from streams.state.checkpoint import CheckpointMeta, drop_folds, read_meta, write_checkpoint
from streams.state.codec import StateCodec, row_prefixes
from streams.state.memory import MemoryStore


class Count(msgspec.Struct):
    """A state."""

    n: int = 0


class CountingStore(MemoryStore):
    """Tells how many rows were asked for."""

    asked = 0

    def get_many(self, keys):
        self.asked += len(keys)
        return super().get_many(keys)


def cache_of(fold="counts"):
    return StateCache(StateCodec(fold, Count), Count)


def meta(offset=0, **versions):
    return CheckpointMeta(offset, "g", versions or {"counts": 1}, "t")


def touch(cache, store, *keys):
    """What a fold does to keys: find or make their states, and change them."""
    cache.create(cache.missing(keys, store))
    cache.changed.update(keys)
    for key in keys:
        cache.states[key].n += 1


Step = st.one_of(
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
    st.sampled_from(["checkpoint", "turn", "crash"]),
)


@given(st.lists(Step, max_size=40))
def test_a_tiny_cache_gives_the_answers_of_a_dict(steps):
    """Any order of changes, checkpoints, evictions and crashes."""
    store, cache = MemoryStore(), cache_of()
    live, saved = {}, {}
    for step in steps:
        if step == "crash":
            cache, live = cache_of(), dict(saved)
        elif isinstance(step, str):
            write_checkpoint(store, meta(), [cache])
            saved = dict(live)
            if step == "turn":
                cache.turn()
        else:
            keys = set(step)
            touch(cache, store, *keys)
            live.update({key: live.get(key, 0) + 1 for key in keys})

    assert set() == set(live) & set(cache.missing(range(10), store))
    assert live == {key: cache.states[key].n for key in live}


def test_a_state_that_was_touched_lately_is_not_read_again():
    """A hit costs one look-up."""
    store, cache = CountingStore(), cache_of()
    touch(cache, store, 1)
    write_checkpoint(store, meta(), [cache])
    cache.turn()
    asked = store.asked

    touch(cache, store, 1)

    assert asked == store.asked
    assert 2 == cache.states[1].n


def test_a_state_that_stayed_untouched_for_two_turns_is_forgotten():
    """Memory holds what is in use."""
    store, cache = MemoryStore(), cache_of()
    touch(cache, store, 1, 2)
    write_checkpoint(store, meta(), [cache])
    cache.turn()
    touch(cache, store, 2)
    write_checkpoint(store, meta(), [cache])

    cache.turn()

    assert 1 == len(cache)


def test_only_what_changed_is_written():
    """A million states, three changed: three rows and the note."""
    store, cache = MemoryStore(), cache_of()
    touch(cache, store, *range(1_000))
    write_checkpoint(store, meta(), [cache])
    written = []
    store.write = lambda puts, deletes=(): written.append(dict(puts))
    touch(cache, store, 1, 2, 3)

    write_checkpoint(store, meta(), [cache])

    assert [4] == [len(puts) for puts in written]


def test_changes_count_as_saved_only_when_they_are():
    """A store that fails stops the worker; until then they are changes."""

    class Failing(MemoryStore):
        def write(self, puts, deletes=()):
            raise OSError("disk full")

    cache = cache_of()
    touch(cache, None, 1)

    with pytest.raises(OSError, match="disk full"):
        write_checkpoint(Failing(), meta(), [cache])
    assert {1} == cache.changed


def test_a_store_that_was_never_written_has_no_note():
    """It is as good as none."""
    assert read_meta(MemoryStore()) is None


def test_a_checkpoint_holds_the_states_and_the_offset_they_belong_to():
    """Of all folds of the partition."""
    store, one, other = MemoryStore(), cache_of("one"), cache_of("other")
    touch(one, store, 1)
    touch(other, store, 1, 1, 2)

    write_checkpoint(store, meta(17, one=1, other=2), [one, other])

    assert (17, {"one": 1, "other": 2}) == (read_meta(store).offset, read_meta(store).versions)
    assert [1, None] == [
        state and state.n for state in StateCodec("one", Count).load([1, 2], store)
    ]


def test_dropped_folds_leave_no_row_and_no_name():
    """However many rows there are; a fold whose name begins alike stays."""
    store, one, other = MemoryStore(), cache_of("one"), cache_of("one_more")
    touch(one, store, *range(25_000))
    touch(other, store, 1)
    write_checkpoint(store, meta(3, one=1, one_more=1), [one, other])

    drop_folds(store, read_meta(store), ["one"])

    assert [] == [key for key in store.rows if key.startswith(row_prefixes("one"))]
    assert [Count(1)] == StateCodec("one_more", Count).load([1], store)
    assert (3, {"one_more": 1}) == (read_meta(store).offset, read_meta(store).versions)


def test_a_crash_while_a_fold_is_dropped_leaves_a_store_that_says_so():
    """Half its rows are gone: whoever declares it must not take the store."""
    store, cache = MemoryStore(), cache_of("one")
    touch(cache, store, 1)
    write_checkpoint(store, meta(3, one=1), [cache])
    write = store.write

    def crash_at_rows(puts, deletes=()):
        if list(deletes):
            raise KeyboardInterrupt
        write(puts, deletes)

    store.write = crash_at_rows
    with pytest.raises(KeyboardInterrupt):
        drop_folds(store, read_meta(store), ["one"])

    assert {} == read_meta(store).versions
