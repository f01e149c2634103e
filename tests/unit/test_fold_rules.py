"""Declarations that cannot work are refused where they stand, with what to do."""

from __future__ import annotations

import pytest

from schemas.counters import ActorCounted, ActorKind
from schemas.demo import LikesCounted
from schemas.social import PhotoLiked, PhotoUnliked
from streams import ConfigurationError, Fold, Members, SchemaMismatch
from streams.ports.records import Position

LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


def fold(**changed):
    declared = {"reads": "social.photos", "key": "photo_id", "state": Members, **changed}
    return Fold("likes", **declared)


def test_a_handler_takes_two_or_three_arguments():
    """Anything else would fail at the first event."""
    with pytest.raises(ConfigurationError, match="1 arguments, wanted"):
        fold().on(PhotoLiked)(lambda _state: None)


def test_a_coroutine_is_refused():
    """It would do nothing, in silence."""

    async def liked(fans, event):
        fans.add(event.user_id)

    with pytest.raises(ConfigurationError, match="plain function"):
        fold().on(PhotoLiked)(liked)


def test_a_type_has_one_handler():
    """Two would run in an order nobody declared."""
    likes = fold()
    likes.on(PhotoLiked)(lambda _fans, _event: None)

    with pytest.raises(ConfigurationError, match="two handlers"):
        likes.on(PhotoLiked)(lambda _fans, _event: None)


def test_a_result_takes_key_and_state():
    """Nothing else is there when it is called."""
    with pytest.raises(ConfigurationError, match="two arguments"):
        fold().result(into="demo.counts")(lambda _state: None)


def test_a_compacted_topic_cannot_be_folded():
    """Compaction removes records that the state was made of."""
    counts = Fold("counts", reads="demo.counts", key="photo_id", state=Members)
    counts.on(LikesCounted)(lambda _state, _event: None)

    with pytest.raises(ConfigurationError, match="compacted"):
        counts.replay([])


def test_a_key_must_pick_the_partition():
    """A state kept by another field would be spread over partitions."""
    likes = fold(key="user_id")
    likes.on(PhotoLiked)(lambda _fans, _event: None)

    with pytest.raises(ConfigurationError, match=r"found the key 'user_id', wanted 'photo_id'"):
        likes.replay([])


def test_only_listed_facts_may_be_emitted():
    """What a service writes is known before it starts."""
    likes = fold()
    fact = ActorCounted(user_id=3, kind=ActorKind.LIKE, delta=1)
    likes.on(PhotoLiked)(lambda _fans, _event, ctx: ctx.emit(fact))

    with pytest.raises(ConfigurationError, match="wanted one of its `emits`"):
        likes.replay([LIKE])


def test_a_handler_knows_its_position():
    """In memory the n-th event stands at offset n of partition 0."""
    seen = []
    likes = fold()
    likes.on(PhotoLiked)(lambda _fans, _event, ctx: seen.append(ctx.position))

    likes.replay([LIKE, LIKE])

    assert [Position("social.photos", 0, 0), Position("social.photos", 0, 1)] == seen


def test_a_replay_refuses_a_result_that_a_worker_could_not_write():
    """A unit test must not pass where the service would park the key."""
    likes = fold()
    likes.on(PhotoLiked)(lambda fans, event: fans.add(event.user_id))
    likes.result(into="demo.counts")(lambda key, _fans: LikesCounted(photo_id=key, likes="many"))

    with pytest.raises(SchemaMismatch, match=r"LikesCounted\.likes"):
        likes.replay([LIKE])


def test_an_event_without_a_handler_changes_nothing():
    """Types that no fold handles are not even decoded."""
    likes = fold()
    likes.on(PhotoLiked)(lambda fans, event: fans.add(event.user_id))

    replayed = likes.replay([PhotoUnliked(user_id=3, photo_id=6, owner_id=9), LIKE])

    assert {5} == set(replayed.states)
