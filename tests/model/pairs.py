"""What stands between two users: a request or friendship, follows and blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# The fields that name who acts and whom it is about, in this order.
PAIR_FIELDS = {
    "FriendRequested": ("requester_id", "addressee_id"),
    "FriendRequestCancelled": ("requester_id", "addressee_id"),
    "FriendAccepted": ("requester_id", "addressee_id"),
    "FriendDeclined": ("requester_id", "addressee_id"),
    "FriendRemoved": ("user_id", "friend_id"),
    "UserFollowed": ("follower_id", "followee_id"),
    "UserUnfollowed": ("follower_id", "followee_id"),
    "UserBlocked": ("user_id", "target_id"),
    "UserUnblocked": ("user_id", "target_id"),
    "UserMuted": ("user_id", "target_id"),
    "UserUnmuted": ("user_id", "target_id"),
}


@dataclass(slots=True)
class Pair:
    """Everything `social.relations` said about two different users, in log order."""

    are_friends: bool = False
    requested_by: int | None = None
    follows: set[tuple[int, int]] = field(default_factory=set)  # (follower, followee)
    blocks: set[int] = field(default_factory=set)  # who blocks the other
    counted: set[int] = field(default_factory=set)  # who ever had a count of this pair

    def see(self, kind: str, event: Any) -> None:
        """Apply one event."""
        actor, other = (getattr(event, name) for name in PAIR_FIELDS[kind])
        if kind in _NEEDS_PEACE and self.blocks:
            return
        _ACTS.get(kind, _ignored)(self, actor, other)

    def befriend(self, *both: int) -> None:
        self.requested_by = None
        self.are_friends = True
        self.counted.update(both)


def _ignored(pair: Pair, actor: int, other: int) -> None:
    """Mutes count nothing."""


def _requested(pair: Pair, actor: int, other: int) -> None:
    if pair.are_friends:
        return
    if pair.requested_by == other:
        pair.befriend(actor, other)
    else:
        pair.requested_by = actor


def _accepted(pair: Pair, requester: int, addressee: int) -> None:
    if pair.requested_by == requester:
        pair.befriend(requester, addressee)


def _withdrawn(pair: Pair, requester: int, _addressee: int) -> None:
    if pair.requested_by == requester:
        pair.requested_by = None


def _removed(pair: Pair, _actor: int, _other: int) -> None:
    pair.are_friends = False


def _followed(pair: Pair, follower: int, followee: int) -> None:
    pair.follows.add((follower, followee))
    pair.counted.update((follower, followee))


def _unfollowed(pair: Pair, follower: int, followee: int) -> None:
    pair.follows.discard((follower, followee))


def _blocked(pair: Pair, actor: int, _other: int) -> None:
    pair.blocks.add(actor)
    pair.are_friends = False
    pair.requested_by = None
    pair.follows.clear()


def _unblocked(pair: Pair, actor: int, _other: int) -> None:
    pair.blocks.discard(actor)


_NEEDS_PEACE = frozenset({"FriendRequested", "FriendAccepted", "UserFollowed"})

_ACTS = {
    "FriendRequested": _requested,
    "FriendRequestCancelled": _withdrawn,
    "FriendAccepted": _accepted,
    "FriendDeclined": _withdrawn,
    "FriendRemoved": _removed,
    "UserFollowed": _followed,
    "UserUnfollowed": _unfollowed,
    "UserBlocked": _blocked,
    "UserUnblocked": _unblocked,
}
