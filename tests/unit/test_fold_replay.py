"""A fold in memory, and the facts its handlers emit."""

from __future__ import annotations

import msgspec
import pytest

from schemas.counters import ActorCounted, ActorKind, PhotoContribution, UserCounters
from schemas.demo import LikesCounted
from schemas.social import PhotoLiked, PhotoPosted, PhotoUnliked, UserRegistered
from streams.errors import ConfigurationError, SchemaMismatch
from streams.events.ids import derived_event_id
from streams.fold.bound import BoundFold
from streams.fold.declaration import Fold
from streams.fold.emission import Emission
from streams.topics.catalog import Catalog

CATALOG = Catalog.of(PhotoLiked)


class Fans(msgspec.Struct):
    """A state."""

    users: set[int] = set()


def like(user_id, photo_id=5, **stamps):
    return PhotoLiked(user_id=user_id, photo_id=photo_id, owner_id=9, **stamps)


def counted(user_id, delta=1):
    return ActorCounted(user_id=user_id, kind=ActorKind.LIKE, delta=delta)


def likes_fold():
    fold = Fold("likes", reads="social.photos", key="photo_id", state=Fans, emits=[ActorCounted])

    @fold.on(PhotoLiked)
    def liked(fans, event, ctx):
        fans.users.add(event.user_id)
        ctx.emit(counted(event.user_id))

    @fold.on(PhotoUnliked)
    def unliked(fans, event):
        fans.users.discard(event.user_id)

    @fold.result(into="demo.counts")
    def count(photo_id, fans):
        return LikesCounted(photo_id, len(fans.users))

    @fold.result(into="counters.contributions")
    def contribution(photo_id, fans):
        return PhotoContribution(9, photo_id, 0, len(fans.users), 0)

    return fold


@pytest.fixture
def emission():
    return Emission(BoundFold(likes_fold(), CATALOG), 3)


def emitted(emission, offset, *facts, event=None):
    """Ids of the facts that an event at an offset emits."""
    emission.begin(event or like(1), offset)
    emission.outgoing = []
    emission.events = []
    for fact in facts:
        emission.emit(fact)
    return [fact.event_id for fact in emission.events]


def test_a_replay_gives_the_first_result_of_each_key():
    """A unit test needs no broker."""
    results = likes_fold().replay([like(1), like(1), like(2), like(3, photo_id=7)])

    assert {5: LikesCounted(5, 2), 7: LikesCounted(7, 1)} == dict(results)
    assert 2 == len(results)
    assert {1, 2} == results.states[5].users


def test_a_replay_gives_the_results_of_each_topic():
    """A fold may have several."""
    results = likes_fold().replay([like(1)])

    assert {5: PhotoContribution(9, 5, 0, 1, 0)} == results.of("counters.contributions")
    with pytest.raises(KeyError, match=r"likes has no result into social\.users"):
        results.of("social.users")


def test_a_replay_gives_the_facts_in_order_with_derived_ids():
    """Those of offsets 0, 1, 2 on partition 0."""
    results = likes_fold().replay([like(2, occurred_at=7), like(1, occurred_at=8)])

    expected = [
        derived_event_id("likes", "social.photos", 0, at, ("counters.ActorCounted", str(user), 0))
        for at, user in enumerate((2, 1))
    ]
    assert expected == [fact.event_id for fact in results.emitted]
    assert [7, 8] == [fact.occurred_at for fact in results.emitted]


def test_a_replay_skips_what_no_handler_takes():
    """Events of other types and topics may stand in one list."""
    others = [PhotoPosted(photo_id=5, owner_id=9), UserRegistered(user_id=1)]

    assert {} == dict(likes_fold().replay(others))


def test_a_replay_of_a_fold_without_results_gives_its_states():
    """As of one that only emits."""
    fold = Fold("fans", reads="social.photos", key="photo_id", state=Fans)
    fold.on(PhotoLiked)(lambda fans, event: fans.users.add(event.user_id))

    assert Fans({1}) == fold.replay([like(1)])[5]


def test_a_replay_raises_what_a_handler_raises():
    """A unit test wants to see it."""
    fold = Fold("fans", reads="social.photos", key="photo_id", state=Fans)
    fold.on(PhotoLiked)(lambda fans, event: fans.missing)

    with pytest.raises(AttributeError):
        fold.replay([like(1)])


def test_ids_tell_facts_of_one_event_apart(emission):
    """By type and key, and by their order where both are the same."""
    ids = emitted(emission, 7, counted(1), counted(2), counted(1), counted(1))

    assert 4 == len(set(ids))


def test_ids_do_not_depend_on_the_order_of_different_keys(emission):
    """A handler may walk a set."""
    one = emitted(emission, 7, counted(1), counted(2), counted(1))
    other = emitted(emission, 7, counted(2), counted(1), counted(1))

    assert sorted(one) == sorted(other)


def test_ids_of_an_event_do_not_depend_on_the_events_before_it(emission):
    """A batch that begins elsewhere, or a replay, gives the same."""
    fresh = emitted(emission, 8, counted(1))
    emitted(emission, 7, counted(1), counted(1), counted(2))

    assert fresh == emitted(emission, 8, counted(1))
    assert fresh != emitted(emission, 9, counted(1))


def test_nothing_is_kept_in_silence_and_the_next_ids_are_the_same(emission):
    """Recovery does the same work for nothing."""
    emission.is_silent = True
    silent = emitted(emission, 7, counted(1)), emission.outgoing
    emission.is_silent = False

    loud = emitted(emission, 7, counted(1))

    assert ([], []) == silent
    assert 1 == len(loud) == len(emission.outgoing)


def test_a_fact_goes_where_its_key_says(emission):
    """Keyed by its own fields, on its own topic."""
    emitted(emission, 6, counted(1))
    emitted(emission, 7, counted(12), event=like(1, event_id=bytes(15) + b"\1"))

    (record,) = emission.outgoing
    assert ("counters.contributions", b"12") == (record.topic, record.key)
    assert [
        ("source", b"social.photos/3/7"),
        ("causation", b"00000000-0000-0000-0000-000000000001"),
    ] == list(record.headers)


@pytest.mark.parametrize("wrong", [LikesCounted(1, 1), like(1)], ids=["result", "event"])
def test_only_what_a_fold_lists_may_be_emitted(emission, wrong):
    """Replays must know what they may not emit again."""
    emission.begin(like(1), 0)

    with pytest.raises(ConfigurationError, match="wanted one of its `emits`: ActorCounted"):
        emission.emit(wrong)


def test_a_fact_that_does_not_fit_its_schema_is_refused(emission):
    """In the handler that made it, not in the transaction."""
    emission.begin(like(1), 0)

    with pytest.raises(SchemaMismatch):
        emission.emit(ActorCounted(user_id="one", kind=ActorKind.LIKE, delta=1))


def test_a_position_is_where_the_event_stands(emission):
    """As the `source` header writes it."""
    emission.begin(like(1), 7)

    assert "social.photos/3/7" == str(emission.position)


def test_handlers_of_upserts_may_emit_too():
    """An upsert has no id and no time of its own."""
    fold = Fold(
        "users", reads="counters.contributions", key="user_id", state=Fans, emits=[ActorCounted]
    )

    @fold.on(PhotoContribution)
    def contributed(fans, event, ctx):
        ctx.emit(counted(event.user_id, delta=event.likes))

    @fold.result(into="counters.users")
    def count(user_id, fans):
        return UserCounters(user_id, *[0] * 10)

    (fact,) = fold.replay([PhotoContribution(9, 5, 0, 3, 0)]).emitted

    assert (3, 0) == (fact.delta, fact.occurred_at)
