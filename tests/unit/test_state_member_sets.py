"""MemberSets: what they hold after any changes, in memory and from their rows."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import FoldChanged
from streams.state.chunks import Rows
from streams.state.codec import StateCodec
from streams.state.member_sets import MemberSets
from streams.state.memory import MemoryStore

LONGS = st.integers(-(2**63), 2**63 - 1)
FEW = st.integers(-3, 3)
PairChange = st.tuples(st.sampled_from(["add", "discard", "drop"]), LONGS | FEW, LONGS | FEW)


@given(st.lists(st.lists(PairChange, max_size=8), max_size=5))
def test_member_sets_and_their_changes_are_a_set_of_pairs(rounds):
    """The same answers as Python's, in memory and from the rows."""
    sets, expected, rows = MemberSets(), set(), [MemberSets().base()]
    sets.rows = Rows(1)
    for changes in rounds:
        for what, key, member in changes:
            if what == "drop":
                sets.drop(key)
                expected = {pair for pair in expected if pair[0] != key}
            else:
                getattr(sets, what)(key, member)
                getattr(expected, what)((key, member))
        rows.append(sets.delta())
        sets.mark()

    loaded = MemberSets.load(MemberSets, [row for row in rows if row])

    assert expected == set(sets) == set(loaded) == {pair for pair in expected if pair in sets}
    assert [len(expected)] * 2 == [len(sets), len(loaded)]


def test_a_member_that_came_and_went_is_not_written():
    """Nothing changed since the last checkpoint."""
    sets = MemberSets()
    sets.rows = Rows(1)
    sets.add(1, 2)
    sets.discard(1, 2)
    sets.drop(1)

    assert b"" == sets.delta()


class Before(msgspec.Struct):
    """A state whose field was a dict."""

    fans: dict[int, int] = {}


class Photo(msgspec.Struct):
    """The same, later."""

    fans: MemberSets = msgspec.field(default_factory=MemberSets)


def saved(state):
    """A store with one state, of key 5."""
    store, puts = MemoryStore(), {}
    StateCodec("photos", type(state)).save(5, state, puts, [], store)
    store.write(puts)
    return store


def test_a_few_pairs_lie_in_the_row_of_their_key():
    """Most photos have few likes."""
    photo = Photo()
    photo.fans.add(1, 2)

    store = saved(photo)

    (found,) = StateCodec("photos", Photo).load([5], store)
    assert ([(1, 2)], 1, None) == (list(found.fans), len(store.rows), found.fans.rows)


def test_a_collection_saved_as_another_type_is_refused_by_name():
    """A state's field changed its type, and the fold kept its version."""
    store = saved(Before())

    with pytest.raises(FoldChanged, match=r"found a saved dict.*MemberSets.*\.fans"):
        StateCodec("photos", Photo).load([5], store)
