"""Every counter, recounted in batch: the sets of acts that stand at the end, and their sizes.

It shares nothing with the folds: no deltas, no contributions, no engine. The rules are those of
the specification's "Counters"; where that leaves room, this is what holds:

| case                                | answer                                                |
|-------------------------------------|-------------------------------------------------------|
| any act on a photo, or on its       | changes nothing anywhere, likes and comments given    |
|   comments, after `PhotoDeleted`    |   included: the id is closed                          |
| `PhotoDeleted` of a photo never     | closes the id; the row has `deleted`, zeros, and the  |
|   posted                            |   first owner seen                                    |
| `PhotoPosted` by another owner than | the posted owner has the photo and its likes; the     |
|   the first seen                    |   first `PhotoPosted` wins                            |
| likes of a photo not posted yet     | are received by the first owner seen                  |
| `CommentDeleted` of a comment never | closes the id                                         |
|   posted                            |                                                       |
| `CommentLiked` of a comment never   | counts until that comment is deleted                  |
|   posted                            |                                                       |
| author of a comment                 | that of its first `CommentPosted`                     |
| ids of comments, shares, messages   | belong to their photo or conversation: the same       |
|                                     |   number elsewhere is another one                     |
| shares                              | distinct share ids; there is no way back              |
| `FriendAccepted`, `Declined`,       | act only on the open request of that requester        |
|   `FriendRequestCancelled`          |                                                       |
| two equal ids in a pair event       | nothing, not even a row                               |
| sender, recipients of a message     | those of its first `MessageSent`; the sender is no    |
|                                     |   recipient, repeated ones count once                 |
| `MessageDeleted` of a message never | closes the id                                         |
|   sent                              |                                                       |
| participants                        | distinct senders and recipients of live messages      |
| a photo has a row                   | once any event of PHOTO_ACTS names it                 |
| a conversation has a row            | once any event of MESSAGE_ACTS names it               |
| a user has a row                    | once registered, a count of the user changed, or a    |
|                                     |   photo with a row was the user's; for ever           |
| order                               | within a key that of the events; between keys any     |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import social
from tests.model.conversations import MESSAGE_ACTS, Conversation
from tests.model.pairs import PAIR_FIELDS, Pair
from tests.model.photos import PHOTO_ACTS, Photo

Row = dict[str, Any]
Rows = dict[int, Row]

USER_COUNTS = (
    "photos",
    "likes_received",
    "comments_received",
    "likes_given",
    "comments_given",
    "friends",
    "followers",
    "following",
    "messages_sent",
    "messages_received",
)


@dataclass(frozen=True, slots=True)
class Expected:
    """Exactly the rows that must exist, by id, with all their fields."""

    photos: Rows
    users: Rows
    conversations: Rows

    def by_topic(self) -> dict[str, Rows]:
        """The same by the name of the results topic."""
        return {
            "counters.photos": self.photos,
            "counters.users": self.users,
            "counters.conversations": self.conversations,
        }


def recount(events: Iterable[Any]) -> Expected:
    """What the counters must be after `events` (generated structs, or dicts with a `type`)."""
    seen = _Seen()
    for event in events:
        seen.see(_struct(event) if isinstance(event, Mapping) else event)
    return Expected(
        photos={one: photo.row(one) for one, photo in seen.photos.items()},
        users=_user_rows(seen),
        conversations={one: talk.row(one) for one, talk in seen.conversations.items()},
    )


@dataclass(slots=True)
class _Seen:
    """All keys of all topics."""

    photos: dict[int, Photo] = field(default_factory=dict)
    pairs: dict[tuple[int, int], Pair] = field(default_factory=dict)
    conversations: dict[int, Conversation] = field(default_factory=dict)
    registered: set[int] = field(default_factory=set)

    def see(self, event: Any) -> None:
        kind = type(event).__name__
        if kind in PHOTO_ACTS:
            self.photos.setdefault(event.photo_id, Photo(event.owner_id)).see(kind, event)
        elif kind in PAIR_FIELDS:
            one, other = (getattr(event, name) for name in PAIR_FIELDS[kind])
            if one != other:
                pair = (min(one, other), max(one, other))
                self.pairs.setdefault(pair, Pair()).see(kind, event)
        elif kind in MESSAGE_ACTS:
            talk = self.conversations.setdefault(event.conversation_id, Conversation())
            talk.see(kind, event)
        elif kind == "UserRegistered":
            self.registered.add(event.user_id)


def _user_rows(seen: _Seen) -> Rows:
    counts = {user: dict.fromkeys(USER_COUNTS, 0) for user in _users(seen)}
    for photo in seen.photos.values():
        _count_photo(counts, photo)
    for both, pair in seen.pairs.items():
        for user in both if pair.are_friends else ():
            counts[user]["friends"] += 1
        for follower, followee in pair.follows:
            counts[follower]["following"] += 1
            counts[followee]["followers"] += 1
    for talk in seen.conversations.values():
        for sent in talk.messages.values():
            counts[sent.sender]["messages_sent"] += 1
            for recipient in sent.recipients:
                counts[recipient]["messages_received"] += 1
    return {user: {"user_id": user, **row} for user, row in counts.items()}


def _count_photo(counts: Mapping[int, Row], photo: Photo) -> None:
    if not photo.is_deleted:
        owner = counts[photo.owner]
        owner["photos"] += photo.is_posted
        owner["likes_received"] += len(photo.fans)
        owner["comments_received"] += len(photo.comments)
    for fan in photo.fans:
        counts[fan]["likes_given"] += 1
    for author in photo.comments.values():
        counts[author]["comments_given"] += 1


def _users(seen: _Seen) -> Iterator[int]:
    """Everybody who has a row."""
    yield from seen.registered
    for photo in seen.photos.values():
        yield from photo.owners | photo.actors
    for pair in seen.pairs.values():
        yield from pair.counted
    for talk in seen.conversations.values():
        yield from talk.counted


def _struct(values: Mapping[str, Any]) -> Any:
    """The event of a JSON form such as `{"type": "PhotoLiked", "user_id": 3, …}`."""
    fields = {name: value for name, value in values.items() if name not in _ENVELOPE}
    return getattr(social, values["type"].rpartition(".")[2])(**fields)


_ENVELOPE = frozenset({"type", "event_id", "occurred_at"})
