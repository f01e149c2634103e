"""Friendships, follows and blocks of a pair of users; log order decides.

`lo` and `hi` are the two ids of the key. What is not named here changes nothing.
"""

from __future__ import annotations

import msgspec

from schemas.counters import ActorCounted, ActorKind
from schemas.social import (
    FriendAccepted,
    FriendDeclined,
    FriendRemoved,
    FriendRequestCancelled,
    FriendRequested,
    UserBlocked,
    UserFollowed,
    UserUnblocked,
    UserUnfollowed,
)
from streams.fold.context import Context
from streams.fold.declaration import Fold


class Pair(msgspec.Struct):
    """One pair. `requester` opened the request; `follows` and `blocks` hold the one who does it."""

    are_friends: bool = False
    requester: int | None = None
    follows: set[int] = set()
    blocks: set[int] = set()

    @property
    def is_blocked(self) -> bool:
        """Whether either blocks the other."""
        return bool(self.blocks)


PAIRS = Fold("pairs", reads="social.relations", key="pair", state=Pair, emits=[ActorCounted])


def _count(ctx: Context, user_id: int, kind: ActorKind, delta: int) -> None:
    ctx.emit(ActorCounted(user_id=user_id, kind=kind, delta=delta))


def _befriend(pair: Pair, one: int, other: int, ctx: Context) -> None:
    pair.are_friends = True
    pair.requester = None
    for user_id in (one, other):
        _count(ctx, user_id, ActorKind.FRIEND, 1)


def _end_friendship(pair: Pair, one: int, other: int, ctx: Context) -> None:
    if pair.are_friends:
        pair.are_friends = False
        for user_id in (one, other):
            _count(ctx, user_id, ActorKind.FRIEND, -1)


def _end_follow(pair: Pair, follower: int, followee: int, ctx: Context) -> None:
    if follower in pair.follows:
        pair.follows.discard(follower)
        _count(ctx, follower, ActorKind.FOLLOWING, -1)
        _count(ctx, followee, ActorKind.FOLLOWER, -1)


@PAIRS.on(FriendRequested)
def requested(pair: Pair, event: FriendRequested, ctx: Context) -> None:
    """Opens a request; one that crosses an open one makes friends."""
    requester, addressee = event.requester_id, event.addressee_id
    if requester == addressee or pair.is_blocked or pair.are_friends:
        return
    if pair.requester is None:
        pair.requester = requester
    elif pair.requester == addressee:
        _befriend(pair, requester, addressee, ctx)


@PAIRS.on(FriendAccepted)
def accepted(pair: Pair, event: FriendAccepted, ctx: Context) -> None:
    """Acts on the open request of that requester only."""
    if pair.requester == event.requester_id and not pair.is_blocked:
        _befriend(pair, event.requester_id, event.addressee_id, ctx)


@PAIRS.on(FriendDeclined)
def declined(pair: Pair, event: FriendDeclined) -> None:
    """Closes the open request of that requester."""
    if pair.requester == event.requester_id:
        pair.requester = None


@PAIRS.on(FriendRequestCancelled)
def cancelled(pair: Pair, event: FriendRequestCancelled) -> None:
    """Closes the open request of that requester."""
    if pair.requester == event.requester_id:
        pair.requester = None


@PAIRS.on(FriendRemoved)
def removed(pair: Pair, event: FriendRemoved, ctx: Context) -> None:
    """Ends a friendship; an open request stays."""
    _end_friendship(pair, event.user_id, event.friend_id, ctx)


@PAIRS.on(UserFollowed)
def followed(pair: Pair, event: UserFollowed, ctx: Context) -> None:
    """Follows have a direction each."""
    follower, followee = event.follower_id, event.followee_id
    if follower == followee or pair.is_blocked or follower in pair.follows:
        return
    pair.follows.add(follower)
    _count(ctx, follower, ActorKind.FOLLOWING, 1)
    _count(ctx, followee, ActorKind.FOLLOWER, 1)


@PAIRS.on(UserUnfollowed)
def unfollowed(pair: Pair, event: UserUnfollowed, ctx: Context) -> None:
    """Ends one direction."""
    _end_follow(pair, event.follower_id, event.followee_id, ctx)


@PAIRS.on(UserBlocked)
def blocked(pair: Pair, event: UserBlocked, ctx: Context) -> None:
    """Ends the friendship, the request and both follows."""
    one, other = event.user_id, event.target_id
    if one == other:
        return
    pair.blocks.add(one)
    pair.requester = None
    _end_friendship(pair, one, other, ctx)
    _end_follow(pair, one, other, ctx)
    _end_follow(pair, other, one, ctx)


@PAIRS.on(UserUnblocked)
def unblocked(pair: Pair, event: UserUnblocked) -> None:
    """Restores nothing."""
    pair.blocks.discard(event.user_id)
