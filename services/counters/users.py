"""Counters of a user: sums of what the first stage says about each photo and act."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from schemas.counters import ActorCounted, ActorKind, PhotoContribution, UserCounters
from streams.fold.declaration import Fold
from streams.state.entries import Entries


class Contribution(NamedTuple):
    """What one photo adds now."""

    photos: int = 0
    likes: int = 0
    comments: int = 0


class User(msgspec.Struct):
    """One user: acts summed by kind, and what each photo adds (left out if that is nothing)."""

    acts: dict[ActorKind, int] = {}
    contributions: Entries[int, Contribution] = msgspec.field(default_factory=Entries)
    photos: int = 0
    likes: int = 0
    comments: int = 0


USERS = Fold("users", reads="counters.contributions", key="user_id", state=User)


@USERS.on(ActorCounted)
def counted(user: User, event: ActorCounted) -> None:
    """Facts come exactly once, so they are summed."""
    user.acts[event.kind] = user.acts.get(event.kind, 0) + event.delta


@USERS.on(PhotoContribution)
def contributed(user: User, event: PhotoContribution) -> None:
    """The newest upsert of a photo replaces the one before."""
    before = user.contributions.get(event.photo_id, Contribution())
    now = Contribution(event.photos, event.likes, event.comments)
    user.photos += now.photos - before.photos
    user.likes += now.likes - before.likes
    user.comments += now.comments - before.comments
    if any(now):
        user.contributions[event.photo_id] = now
    else:
        user.contributions.pop(event.photo_id, None)


@USERS.result(into="counters.users")
def counters(user_id: int, user: User) -> UserCounters:
    """The user's row."""
    acts = user.acts
    return UserCounters(
        user_id=user_id,
        photos=user.photos,
        likes_received=user.likes,
        comments_received=user.comments,
        likes_given=acts.get(ActorKind.LIKE, 0),
        comments_given=acts.get(ActorKind.COMMENT, 0),
        friends=acts.get(ActorKind.FRIEND, 0),
        followers=acts.get(ActorKind.FOLLOWER, 0),
        following=acts.get(ActorKind.FOLLOWING, 0),
        messages_sent=acts.get(ActorKind.MESSAGE_SENT, 0),
        messages_received=acts.get(ActorKind.MESSAGE_RECEIVED, 0),
    )
