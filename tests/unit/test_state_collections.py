"""Members and Entries: what they hold after any changes, and what a checkpoint writes of them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.errors import FoldChanged
from streams.state import codec as codec_module
from streams.state.chunks import Rows
from streams.state.codec import StateCodec, row_prefixes
from streams.state.entries import Entries
from streams.state.members import Members
from streams.state.memory import MemoryStore

LONGS = st.integers(-(2**63), 2**63 - 1)
FEW = st.integers(-3, 12)
KEY = 5


class Photo(msgspec.Struct):
    """A state with all that may grow large, and plain fields beside it."""

    fans: Members = msgspec.field(default_factory=Members)
    comments: Entries[int, tuple[int, str]] = msgspec.field(default_factory=Entries)
    by_comment: dict[int, Members] = {}
    title: str = ""


class Shelf:
    """Saves one state and loads it as another process would."""

    def __init__(self):
        self.store = MemoryStore()
        self.codec = StateCodec("photos", Photo)

    def save(self, state, key=KEY):
        """Returns the bytes written."""
        puts, deletes = {}, []
        self.codec.save(key, state, puts, deletes, self.store)
        self.store.write(puts, deletes)
        return sum(map(len, puts)) + sum(map(len, puts.values()))

    def load(self, key=KEY):
        self.codec = StateCodec("photos", Photo)
        return self.codec.load([key], self.store)[0]

    @property
    def chunks(self):
        """Rows of large collections."""
        return [key for key in self.store.rows if key.startswith(row_prefixes("photos")[1])]


class Reshaped(msgspec.Struct):
    """The same state after somebody made a count of a set."""

    fans: int = 0


class Grown(Photo):
    """The same state with one more field."""

    shares: int = 0


@pytest.mark.parametrize("saved", [Photo(fans=Members([1])), Photo()])
def test_a_state_of_another_shape_stops_and_names_the_ways_on(saved):
    """Guessed at, it would be a wrong number; raw, the error would name no fold and no way on."""
    shelf = Shelf()
    shelf.save(saved)

    with pytest.raises(FoldChanged, match="photos, key 5, in another shape") as stopped:
        StateCodec("photos", Reshaped).load([KEY], shelf.store)

    assert "raise the fold's version" in str(stopped.value)


def test_a_new_field_with_a_default_fits_old_states():
    """The harmless change needs no replay."""
    shelf = Shelf()
    shelf.save(Photo(title="a boat"))

    (state,) = StateCodec("photos", Grown).load([KEY], shelf.store)

    assert ("a boat", 0) == (state.title, state.shares)


@pytest.fixture
def small_rows(monkeypatch):
    """Collections of more than four items are large."""
    monkeypatch.setattr(codec_module, "INLINE_ITEMS", 4)


@given(st.lists(st.tuples(st.sampled_from(["add", "discard", "update"]), LONGS | FEW)))
def test_members_are_a_set_of_longs(changes):
    """The same answers as Python's, negative ids too."""
    members, expected = Members(), set()
    for change, member in changes:
        argument = {member} if change == "update" else member
        getattr(members, change)(argument)
        getattr(expected, change)(argument)

    assert sorted(expected, key=lambda one: (one < 0, one)) == list(members)
    assert len(expected) == len(members)
    assert all(member in members for member in expected)


@given(st.sets(LONGS | FEW), st.sets(LONGS | FEW))
def test_members_combine_like_sets(one, other):
    """Whatever operator a handler uses, it gets members back."""
    left, right = Members(one), Members(other)

    found = [left | right, left & right, left - right, left ^ right]

    assert [one | other, one & other, one - other, one ^ other] == [set(each) for each in found]
    assert all(isinstance(each, Members) and each.rows is None for each in found)


def test_a_member_that_is_not_there_can_be_discarded_and_not_removed():
    """As with a set."""
    members = Members([-1])
    members.discard(7)
    members.remove(-1)

    with pytest.raises(KeyError):
        members.remove(-1)
    assert [] == list(members)


APART = 100_000
"""Members this far apart take bytes each, so that a few changes are little beside the rest."""

Change = st.one_of(
    st.tuples(st.just("like"), FEW),
    st.tuples(st.just("fans"), FEW),
    st.tuples(st.just("unlike"), FEW),
    st.tuples(st.just("comment"), FEW),
    st.tuples(st.just("uncomment"), FEW),
    st.tuples(st.just("fan of comment"), FEW),
    st.tuples(st.just("clear"), st.sampled_from(["fans", "comments", "by_comment"])),
    st.tuples(st.just("title"), FEW),
)


Rounds = st.lists(st.lists(Change, max_size=5), min_size=1, max_size=12)


def started():
    """A photo whose collections are so large that changes are saved beside them."""
    comments = {number: (number, "hello") for number in range(40)}
    return Photo(fans=Members(range(0, 50 * APART, APART)), comments=Entries(comments))


def change(photo, what, item):
    """One change, the way handlers make them."""
    if what == "like":
        photo.fans.add(item * APART)
    elif what == "unlike":
        photo.fans.discard(item * APART)
    elif what == "fans":
        photo.fans.update(range(item, item + 20))
    elif what == "comment":
        photo.comments[item] = (item, str(len(photo.comments)))
    elif what == "uncomment":
        photo.comments.pop(item, None)
    elif what == "fan of comment":
        photo.by_comment.setdefault(item % 3, Members()).add(item)
    elif what == "clear":
        empty = {"fans": Members, "comments": Entries, "by_comment": dict}
        setattr(photo, item, empty[item]())
    else:
        photo.title = str(item)


def plain(photo):
    """Everything a fold can see of a photo, the order of its entries included."""
    return (
        list(photo.fans),
        list(photo.comments.items()),
        {comment: list(fans) for comment, fans in photo.by_comment.items()},
        photo.title,
    )


@pytest.mark.usefixtures("small_rows")
@settings(max_examples=250)
@given(Rounds, st.sets(st.integers(0, 11)))
def test_a_state_is_the_same_after_any_changes_saves_and_loads(rounds, reloads):
    """In memory all the time, or read from disk between the rounds."""
    shelf, kept, state = Shelf(), started(), started()
    shelf.save(state)
    for number, changes in enumerate(rounds):
        for what, item in changes:
            change(kept, what, item)
            change(state, what, item)
        shelf.save(state)
        if number in reloads:
            state = shelf.load()

    assert plain(kept) == plain(state) == plain(shelf.load())


@pytest.mark.usefixtures("small_rows")
@given(Rounds)
def test_collections_that_vanish_leave_no_rows(rounds):
    """A store would grow for ever, and a later collection could find another's changes."""
    shelf, state = Shelf(), started()
    for changes in rounds:
        for what, item in changes:
            change(state, what, item)
        shelf.save(state)
    shelf.save(Photo())

    assert [] == shelf.chunks
    assert plain(Photo()) == plain(shelf.load())


@example([[(False, 0), (False, 1), (True, 1), (True, 0)]])
@given(st.lists(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=6), max_size=5))
def test_entries_and_their_changes_give_the_order_of_a_dict(rounds):
    """A key that went and came back stands last, as it does in memory."""
    expected = dict.fromkeys(range(4), "old")
    entries = Entries(expected)
    rows = [entries.base()]
    entries.rows = Rows(1)
    for changes in rounds:
        for is_set, key in changes:
            for mapping in (entries, expected):
                if is_set:
                    mapping[key] = str(changes)
                else:
                    mapping.pop(key, None)
        rows.append(entries.delta())
        entries.mark()

    loaded = Entries.load(Entries[int, str], [row for row in rows if row])

    assert list(expected.items()) == list(entries.items()) == list(loaded.items())


def test_a_change_of_entries_is_written_once():
    """What was saved before is not in the next row."""
    entries = Entries({1: "a", 2: "b"})
    entries.rows = Rows(1)
    del entries[1]
    first = entries.delta()
    entries.mark()
    entries[3] = "c"

    second = entries.delta()

    assert [({}, [1]), ({3: "c"}, [])] == [
        tuple(msgspec.msgpack.decode(row, strict=False)) for row in (first, second)
    ]
    entries.mark()
    assert b"" == entries.delta()


@pytest.mark.usefixtures("small_rows")
def test_a_replaced_collection_leaves_none_of_its_rows():
    """A new one of the same size takes its place."""
    shelf, state = Shelf(), Photo(fans=Members(range(10)))
    shelf.save(state)
    state.fans.add(100)
    shelf.save(state)
    state.fans = Members(range(20, 30))
    shelf.save(state)

    assert 1 == len(shelf.chunks)
    assert list(range(20, 30)) == list(shelf.load().fans)


@pytest.mark.usefixtures("small_rows")
def test_a_collection_that_grows_large_later_gets_rows_of_its_own():
    """Beside one that was large before."""
    shelf = Shelf()
    shelf.save(Photo(fans=Members(range(10))))
    state = shelf.load()
    state.comments.update({number: (number, "") for number in range(10)})
    shelf.save(state)

    assert (list(range(10)), 10) == (list(shelf.load().fans), len(shelf.load().comments))


@pytest.mark.usefixtures("small_rows")
def test_large_collections_of_different_keys_do_not_mix():
    """Each has its own rows, also where one key's bytes begin like another's."""
    shelf, keys = Shelf(), [5, 500, "5", "50", (5, 6), (5, "6")]
    for number, key in enumerate(keys):
        shelf.save(Photo(fans=Members(range(number, number + 10))), key)

    found = [list(shelf.load(key).fans) for key in keys]

    assert [list(range(number, number + 10)) for number in range(len(keys))] == found


def test_a_checkpoint_after_one_like_of_ten_million_is_small():
    """Bytes written follow what changed, not what is there."""
    shelf, state = Shelf(), Photo(fans=Members(range(0, 30_000_000, 3)))
    first = shelf.save(state)
    state = shelf.load()
    state.fans.add(1)

    written = shelf.save(state)

    assert written < 64_000 < first
    assert 10_000_001 == len(shelf.load().fans)


def test_a_checkpoint_after_one_entry_of_many_is_small():
    """The same for mappings."""
    shelf = Shelf()
    state = Photo(comments=Entries({number: (number, "x" * 20) for number in range(100_000)}))
    shelf.save(state)
    state = shelf.load()
    state.comments[7] = (7, "changed")
    del state.comments[8]

    assert shelf.save(state) < 200
    comments = shelf.load().comments
    assert ((7, "changed"), 99_999) == (comments[7], len(comments))


@pytest.mark.usefixtures("small_rows")
def test_changes_are_folded_into_the_base_before_they_outgrow_it():
    """Loading stays in proportion to what is there."""
    shelf, state = Shelf(), Photo(fans=Members(range(10)))
    shelf.save(state)
    for fan in range(10, 400):
        state.fans.add(fan)
        shelf.save(state)

    base, *changes = (len(shelf.store.rows[key]) for key in sorted(shelf.chunks))

    assert sum(changes) <= base
    assert list(range(400)) == list(shelf.load().fans)


@pytest.mark.usefixtures("small_rows")
def test_an_untouched_large_collection_writes_nothing():
    """Another field of the state changed."""
    shelf, state = Shelf(), Photo(fans=Members(range(10)))
    shelf.save(state)
    before = {key: shelf.store.rows[key] for key in shelf.chunks}
    state.title = "new"
    shelf.save(state)

    assert before == {key: shelf.store.rows[key] for key in shelf.chunks}
    assert "new" == shelf.load().title


def test_what_msgspec_cannot_encode_is_refused_by_name():
    """Some class of the user's in a state."""

    class Odd:
        pass

    class State(msgspec.Struct):
        odd: object = None

    codec = StateCodec("photos", State)

    with pytest.raises(NotImplementedError, match="found a Odd in a fold's state"):
        codec.save(KEY, State(odd=Odd()), {}, [], MemoryStore())


def test_keys_of_a_fold_can_be_listed():
    """Whatever their type; not those of other folds."""
    shelf, keys = Shelf(), [5, -1, "ann", (3, 9)]
    for key in keys:
        shelf.save(Photo(), key)
    other = StateCodec("photosets", Photo)
    puts = {}
    other.save(1, Photo(), puts, [], shelf.store)
    shelf.store.write(puts)

    assert set(keys) == set(shelf.codec.keys(shelf.store))
