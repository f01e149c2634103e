"""Every counter recounted from what was emitted, in plain Python and without any of our code.

It keeps the acts that still stand and sizes them at the end; it knows no folds, no topics and no
other service. Events are told apart by the name of their type.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
Rows = dict[int, Row]

_USER_COUNTS = (
    "photos", "likes_received", "comments_received", "likes_given", "comments_given", "friends",
    "followers", "following", "messages_sent", "messages_received",
)  # fmt: skip


def recount(events: Iterable[Any]) -> dict[str, Rows]:
    """Rows by id by results topic, as they must be after `events`; KeyError for an unknown type."""
    standing = _Standing()
    for event in events:
        _RULES[type(event).__name__](standing, event)
    return {
        "counters.photos": _photos(standing),
        "counters.users": _users(standing),
        "counters.conversations": _conversations(standing),
    }


class _Standing:
    """Acts that were not taken back, and ids that are closed for ever."""

    def __init__(self) -> None:
        self.owners: dict[int, int] = {}  # photo -> owner
        self.posted: set[int] = set()
        self.deleted: set[int] = set()
        self.likes: defaultdict[int, set[int]] = defaultdict(set)  # photo -> users
        self.shares: defaultdict[int, set[int]] = defaultdict(set)  # photo -> shares
        self.comments: defaultdict[int, dict[int, int]] = defaultdict(dict)  # photo -> authors
        self.closed_comments: set[tuple[int, int]] = set()  # (photo, comment)
        self.comment_likes: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        self.requests: dict[frozenset[int], int] = {}  # pair -> requester
        self.friends: set[frozenset[int]] = set()
        self.follows: set[tuple[int, int]] = set()
        self.messages: defaultdict[int, dict[int, tuple[int, set[int]]]] = defaultdict(dict)
        self.closed_messages: set[tuple[int, int]] = set()  # (conversation, message)
        self.users: set[int] = set()  # whoever has a row

    def takes(self, event: Any) -> bool:
        """Whether a photo still takes acts; its first act tells the owner until it is posted."""
        if event.photo_id not in self.owners:
            self.owners[event.photo_id] = event.owner_id
            self.users.add(event.owner_id)
        return event.photo_id not in self.deleted


def _registered(now: _Standing, event: Any) -> None:
    now.users.add(event.user_id)


def _posted(now: _Standing, event: Any) -> None:
    if now.takes(event) and event.photo_id not in now.posted:
        now.posted.add(event.photo_id)
        now.owners[event.photo_id] = event.owner_id
        now.users.add(event.owner_id)


def _deleted(now: _Standing, event: Any) -> None:
    if now.takes(event):
        now.deleted.add(event.photo_id)


def _liked(now: _Standing, event: Any) -> None:
    if now.takes(event):
        now.likes[event.photo_id].add(event.user_id)
        now.users.add(event.user_id)


def _unliked(now: _Standing, event: Any) -> None:
    if now.takes(event):
        now.likes[event.photo_id].discard(event.user_id)


def _shared(now: _Standing, event: Any) -> None:
    if now.takes(event):
        now.shares[event.photo_id].add(event.share_id)


def _commented(now: _Standing, event: Any) -> None:
    is_open = (event.photo_id, event.comment_id) not in now.closed_comments
    authors = now.comments[event.photo_id]
    if now.takes(event) and is_open and event.comment_id not in authors:
        authors[event.comment_id] = event.author_id
        now.users.add(event.author_id)


def _comment_deleted(now: _Standing, event: Any) -> None:
    if now.takes(event):
        now.closed_comments.add((event.photo_id, event.comment_id))
        now.comments[event.photo_id].pop(event.comment_id, None)
        now.comment_likes.pop((event.photo_id, event.comment_id), None)


def _comment_liked(now: _Standing, event: Any) -> None:
    comment = (event.photo_id, event.comment_id)
    if now.takes(event) and comment not in now.closed_comments:
        now.comment_likes[comment].add(event.user_id)


def _requested(now: _Standing, event: Any) -> None:
    pair = frozenset((event.requester_id, event.addressee_id))
    if len(pair) == 1 or pair in now.friends:
        return
    if now.requests.setdefault(pair, event.requester_id) != event.requester_id:
        _befriend(now, pair)


def _accepted(now: _Standing, event: Any) -> None:
    pair = frozenset((event.requester_id, event.addressee_id))
    if now.requests.get(pair) == event.requester_id:
        _befriend(now, pair)


def _befriend(now: _Standing, pair: frozenset[int]) -> None:
    del now.requests[pair]
    now.friends.add(pair)
    now.users |= pair


def _unfriended(now: _Standing, event: Any) -> None:
    now.friends.discard(frozenset((event.user_id, event.friend_id)))


def _followed(now: _Standing, event: Any) -> None:
    if event.follower_id != event.followee_id:
        now.follows.add((event.follower_id, event.followee_id))
        now.users |= {event.follower_id, event.followee_id}


def _unfollowed(now: _Standing, event: Any) -> None:
    now.follows.discard((event.follower_id, event.followee_id))


def _sent(now: _Standing, event: Any) -> None:
    messages = now.messages[event.conversation_id]
    is_open = (event.conversation_id, event.message_id) not in now.closed_messages
    if is_open and event.message_id not in messages:
        recipients = set(event.recipient_ids) - {event.sender_id}
        messages[event.message_id] = (event.sender_id, recipients)
        now.users |= {event.sender_id, *recipients}


def _message_deleted(now: _Standing, event: Any) -> None:
    now.messages[event.conversation_id].pop(event.message_id, None)
    now.closed_messages.add((event.conversation_id, event.message_id))


_RULES = {
    "UserRegistered": _registered, "PhotoPosted": _posted, "PhotoDeleted": _deleted,
    "PhotoLiked": _liked, "PhotoUnliked": _unliked, "PhotoShared": _shared,
    "CommentPosted": _commented, "CommentDeleted": _comment_deleted,
    "CommentLiked": _comment_liked, "FriendRequested": _requested, "FriendAccepted": _accepted,
    "FriendRemoved": _unfriended, "UserFollowed": _followed, "UserUnfollowed": _unfollowed,
    "MessageSent": _sent, "MessageDeleted": _message_deleted,
}  # fmt: skip

KINDS = frozenset(_RULES)
"""Names of the types that can be recounted."""


def _photos(now: _Standing) -> Rows:
    comment_likes: defaultdict[int, int] = defaultdict(int)
    for (photo, _), users in now.comment_likes.items():
        comment_likes[photo] += len(users)
    return {
        photo: {
            "photo_id": photo,
            "owner_id": owner,
            "likes": 0 if photo in now.deleted else len(now.likes[photo]),
            "comments": 0 if photo in now.deleted else len(now.comments[photo]),
            "comment_likes": 0 if photo in now.deleted else comment_likes[photo],
            "shares": 0 if photo in now.deleted else len(now.shares[photo]),
            "deleted": photo in now.deleted,
        }
        for photo, owner in now.owners.items()
    }


def _users(now: _Standing) -> Rows:
    rows = {user: {"user_id": user, **dict.fromkeys(_USER_COUNTS, 0)} for user in now.users}
    _count_photos(now, rows)
    for one, other in now.friends:
        rows[one]["friends"] += 1
        rows[other]["friends"] += 1
    for follower, followee in now.follows:
        rows[follower]["following"] += 1
        rows[followee]["followers"] += 1
    for messages in now.messages.values():
        for sender, recipients in messages.values():
            rows[sender]["messages_sent"] += 1
            for recipient in recipients:
                rows[recipient]["messages_received"] += 1
    return rows


def _count_photos(now: _Standing, rows: Rows) -> None:
    for photo, owner in now.owners.items():
        if photo not in now.deleted:
            rows[owner]["photos"] += photo in now.posted
            rows[owner]["likes_received"] += len(now.likes[photo])
            rows[owner]["comments_received"] += len(now.comments[photo])
        for user in now.likes[photo]:
            rows[user]["likes_given"] += 1
        for author in now.comments[photo].values():
            rows[author]["comments_given"] += 1


def _conversations(now: _Standing) -> Rows:
    return {
        conversation: {
            "conversation_id": conversation,
            "messages": len(messages),
            "participants": len({one for sent in messages.values() for one in (sent[0], *sent[1])}),
        }
        for conversation, messages in now.messages.items()
    }
