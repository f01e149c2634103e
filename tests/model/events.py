"""Sequences of events over every type of `schemas.social`, made to collide.

Ids come from small pools that hold zero, negative and the largest numbers, so repeats, re-posts,
crossing requests, blocks and two equal ids happen all the time. For property tests there are
hypothesis strategies, for runs on a broker a fast seeded generator over wider pools.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas import social
from streams.events.message import Event

LARGEST = 2**63 - 1
SMALLEST = -(2**63)

EVENT_TYPES: tuple[type[Event], ...] = tuple(
    one for one in vars(social).values() if isinstance(one, type) and issubclass(one, Event)
    if one is not Event
)  # fmt: skip
"""Every event type there is, in the order of the module."""

# What an id is an id of; ids of one role collide.
_USER, _PHOTO, _COMMENT = "user", "photo", "comment"
_SHARE, _MESSAGE, _TALK = "share", "message", "conversation"

_ROLES = {
    "user_id": _USER, "owner_id": _USER, "author_id": _USER, "viewer_id": _USER,
    "requester_id": _USER, "addressee_id": _USER, "friend_id": _USER, "target_id": _USER,
    "follower_id": _USER, "followee_id": _USER, "sender_id": _USER, "candidate_id": _USER,
    "recipient_ids": _USER, "mentions": _USER, "anonymous_id": _USER,
    "photo_id": _PHOTO, "item_id": _PHOTO,
    "comment_id": _COMMENT, "parent_comment_id": _COMMENT,
    "share_id": _SHARE, "message_id": _MESSAGE, "read_up_to": _MESSAGE,
    "conversation_id": _TALK,
}  # fmt: skip

_SMALL_POOLS = {
    _USER: (1, 2, 3, 0, -1, LARGEST, SMALLEST),
    _PHOTO: (1, 2, -7, LARGEST),
    _COMMENT: (1, 2, 3, SMALLEST),
    _SHARE: (1, 2, LARGEST),
    _MESSAGE: (1, 2, 3, -1),
    _TALK: (1, 2, LARGEST),
}

_STAMPS = ("event_id", "occurred_at")
_TEXTS = ("", "plain", "ünï ☃ 🐎", "x" * 300)
_INTS = (0, 1, 2_000)
_FLOATS = (0.0, 0.5, -3.0)

# Types that are drawn more often than once: others act on what these make.
_WEIGHTS = {
    "PhotoPosted": 3, "PhotoLiked": 6, "PhotoUnliked": 3, "PhotoShared": 2, "CommentPosted": 5,
    "CommentDeleted": 2, "CommentLiked": 4, "CommentUnliked": 2,
    "FriendRequested": 5, "FriendAccepted": 4, "UserFollowed": 4, "UserUnblocked": 2,
    "MessageSent": 4,
}  # fmt: skip


def events(area: str = "") -> st.SearchStrategy[Event]:
    """One event; `area` is a part of the type name, such as `Photo`, `Friend` or `User`."""
    return st.sampled_from(_weighted(area)).flatmap(_strategy)


def sequences(*areas: str, max_size: int = 60) -> st.SearchStrategy[list[Event]]:
    """Events in the order they are emitted, over all types unless areas are named."""
    return st.lists(st.one_of(*map(events, areas or ("",))), max_size=max_size)


def photo_sequences(max_size: int = 60) -> st.SearchStrategy[list[Event]]:
    """Events of `social.photos`."""
    return sequences("Photo", "Comment", max_size=max_size)


def relation_sequences(max_size: int = 60) -> st.SearchStrategy[list[Event]]:
    """Events of `social.relations`, and some of `social.users`."""
    return sequences("Friend", "User", max_size=max_size)


def message_sequences(max_size: int = 60) -> st.SearchStrategy[list[Event]]:
    """Events of `social.messages`."""
    return sequences("Message", max_size=max_size)


def random_events(seed: int, n: int) -> Iterator[Event]:
    """The same `n` events for the same arguments; fast, so a run can have many of them."""
    rng = random.Random(seed)
    pools = _wide_pools(n)
    makers = {one: _maker(one, pools, rng) for one in EVENT_TYPES}
    weighted = _weighted("")
    return (makers[rng.choice(weighted)]() for _ in range(n))


def _weighted(area: str) -> list[type[Event]]:
    return [
        one for one in EVENT_TYPES if area in one.__name__
        for _ in range(_WEIGHTS.get(one.__name__, 1))
    ]  # fmt: skip


def _fields(event_type: type[Event]) -> Iterator[tuple[str, Any]]:
    """Name and type of each field that says something."""
    for one in msgspec.structs.fields(event_type):
        if one.name not in _STAMPS:
            yield one.name, one.type


@cache
def _strategy(event_type: type[Event]) -> st.SearchStrategy[Event]:
    return st.builds(
        event_type, **{name: _values(name, kind) for name, kind in _fields(event_type)}
    )


def _values(name: str, kind: Any) -> st.SearchStrategy[Any]:
    one = st.sampled_from(_choices(name, kind, _SMALL_POOLS))
    return st.lists(one, max_size=4) if _is_list(kind) else one


def _maker(
    event_type: type[Event], pools: dict[str, tuple[int, ...]], rng: random.Random
) -> Callable[[], Event]:
    """A function that draws one event of a type."""
    fields = [
        (name, _choices(name, kind, pools), _is_list(kind)) for name, kind in _fields(event_type)
    ]

    def draw(choices: Sequence[Any], is_list: bool) -> Any:
        return rng.choices(choices, k=rng.randrange(5)) if is_list else rng.choice(choices)

    return lambda: event_type(**{name: draw(choices, is_list) for name, choices, is_list in fields})


def _choices(name: str, kind: Any, pools: dict[str, tuple[int, ...]]) -> Sequence[Any]:
    """What a field may hold, or what a list of it may."""
    empty = (None,) if type(None) in getattr(kind, "__args__", ()) else ()
    if name in _ROLES:
        return (*pools[_ROLES[name]], *empty)
    plain = {int: _INTS, float: _FLOATS}.get(kind, _TEXTS)
    return (*plain, *empty)


def _is_list(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is list


def _wide_pools(n: int) -> dict[str, tuple[int, ...]]:
    """Ids from 1 beside the small pools, more of them in longer runs, as deletions close them."""
    sizes = {
        _USER: 40 + n // 1_000,
        _PHOTO: max(30, n // 40),
        _COMMENT: 20,
        _SHARE: 20,
        _MESSAGE: 30,
        _TALK: max(12, n // 400),
    }
    return {
        role: tuple(dict.fromkeys((*_SMALL_POOLS[role], *range(1, size + 1))))
        for role, size in sizes.items()
    }
