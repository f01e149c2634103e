"""What each input record leads to, told record by record from the same rules as `tests/model`.

It shares nothing with the folds but the derivation of ids, which is a format, not a rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from schemas.counters import ActorCounted, PhotoContribution
from streams.events.message import Message
from tests.model.conversations import MESSAGE_ACTS, Conversation
from tests.model.pairs import PAIR_FIELDS, Pair
from tests.model.photos import PHOTO_ACTS, Photo
from tests.model.recount import USER_COUNTS

Row = dict[str, Any]


class Count(NamedTuple):
    """A fact: `user_id`'s count of `kind` changes by `delta`."""

    user_id: int
    kind: str
    delta: int


class Upsert(NamedTuple):
    """A row of a topic: its fields, sorted, as pairs."""

    topic: str
    fields: tuple[tuple[str, Any], ...]


class Stage(Protocol):
    """One fold, record by record. `name` is the fold's, `outputs` the topics of its rows."""

    name: str

    def see(self, message: Message) -> tuple[Any, list[Count]]:
        """The key it touches (None: it is not for this fold), and the facts it leads to."""

    def rows(self, key: Any) -> list[Upsert]:
        """What is published of a key as it is now."""

    def __iter__(self) -> Iterator[Any]:
        """Every key that was touched."""

    def plain(self, key: Any) -> Any:
        """What is known of a key, for a look into a store."""


class Photos:
    """The fold `photos`."""

    name = "photos"

    def __init__(self) -> None:
        self._photos: dict[int, Photo] = {}

    def see(self, message: Message) -> tuple[Any, list[Count]]:
        kind = type(message).__name__
        if kind not in PHOTO_ACTS:
            return None, []
        photo = self._photos.setdefault(message.photo_id, Photo(message.owner_id))
        before = _acts_of(photo, message)
        photo.see(kind, message)
        return message.photo_id, list(_changes(before, _acts_of(photo, message)))

    def rows(self, key: Any) -> list[Upsert]:
        photo = self._photos[key]
        live = not photo.is_deleted
        owned = {
            "user_id": photo.owner,
            "photo_id": key,
            "photos": int(live and photo.is_posted),
            "likes": len(photo.fans) if live else 0,
            "comments": len(photo.comments) if live else 0,
        }
        past = [
            {"user_id": owner, "photo_id": key, "photos": 0, "likes": 0, "comments": 0}
            for owner in photo.owners - {photo.owner}
        ]
        contributions = [upsert("counters.contributions", row) for row in (owned, *past)]
        return [upsert("counters.photos", photo.row(key)), *contributions]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._photos)

    def plain(self, key: Any) -> Any:
        return self._photos[key].row(key)


class Pairs:
    """The fold `pairs`."""

    name = "pairs"

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int], Pair] = {}

    def see(self, message: Message) -> tuple[Any, list[Count]]:
        kind = type(message).__name__
        if kind not in PAIR_FIELDS or kind in ("UserMuted", "UserUnmuted"):
            return None, []
        one, other = sorted(getattr(message, name) for name in PAIR_FIELDS[kind])
        pair = self._pairs.setdefault((one, other), Pair())
        if one == other:
            return (one, other), []
        were_friends, followed = pair.are_friends, set(pair.follows)
        pair.see(kind, message)
        facts = []
        if pair.are_friends != were_friends:
            delta = 1 if pair.are_friends else -1
            facts = [Count(one, "FRIEND", delta), Count(other, "FRIEND", delta)]
        for changed, delta in ((pair.follows - followed, 1), (followed - pair.follows, -1)):
            for follower, followee in changed:
                facts += [Count(follower, "FOLLOWING", delta), Count(followee, "FOLLOWER", delta)]
        return (one, other), facts

    def rows(self, key: Any) -> list[Upsert]:
        return []

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pairs)

    def plain(self, key: Any) -> Any:
        pair = self._pairs[key]
        return {
            "are_friends": pair.are_friends,
            "requester": pair.requested_by,
            "follows": {follower for follower, _ in pair.follows},
            "blocks": pair.blocks,
        }


class Conversations:
    """The fold `conversations`."""

    name = "conversations"

    def __init__(self) -> None:
        self._conversations: dict[int, Conversation] = {}

    def see(self, message: Message) -> tuple[Any, list[Count]]:
        kind = type(message).__name__
        if kind not in MESSAGE_ACTS:
            return None, []
        talk = self._conversations.setdefault(message.conversation_id, Conversation())
        before = _people_of(talk, message.message_id)
        talk.see(kind, message)
        facts = list(_changes(before, _people_of(talk, message.message_id)))
        return message.conversation_id, facts

    def rows(self, key: Any) -> list[Upsert]:
        return [upsert("counters.conversations", self._conversations[key].row(key))]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._conversations)

    def plain(self, key: Any) -> Any:
        return self._conversations[key].row(key)


class Accounts:
    """The fold `accounts`."""

    name = "accounts"

    def __init__(self) -> None:
        self._registered: set[int] = set()

    def see(self, message: Message) -> tuple[Any, list[Count]]:
        if type(message).__name__ != "UserRegistered":
            return None, []
        is_new = message.user_id not in self._registered
        self._registered.add(message.user_id)
        return message.user_id, [Count(message.user_id, "REGISTERED", 0)] if is_new else []

    def rows(self, key: Any) -> list[Upsert]:
        return []

    def __iter__(self) -> Iterator[Any]:
        return iter(self._registered)

    def plain(self, key: Any) -> Any:
        return {"is_registered": True}


class Users:
    """The fold `users`, over what the first stage wrote."""

    name = "users"

    def __init__(self) -> None:
        self._acts: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._photos: defaultdict[int, dict[int, tuple[int, int, int]]] = defaultdict(dict)

    def see(self, message: Message) -> tuple[Any, list[Count]]:
        if isinstance(message, ActorCounted):
            self._acts[message.user_id][message.kind] += message.delta
        elif isinstance(message, PhotoContribution):
            self._acts[message.user_id]  # a row, though it may add nothing
            adds = (message.photos, message.likes, message.comments)
            self._photos[message.user_id][message.photo_id] = adds
        else:
            return None, []
        return message.user_id, []

    def rows(self, key: Any) -> list[Upsert]:
        return [upsert("counters.users", self.plain(key))]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._acts)

    def plain(self, key: Any) -> Any:
        sums = [sum(column) for column in zip(*self._photos[key].values(), strict=True)]
        received = sums or [0, 0, 0]
        given = [self._acts[key][kind] for kind in _KINDS]
        return dict(zip(("user_id", *USER_COUNTS), (key, *received, *given), strict=True))


_KINDS = (
    "LIKE", "COMMENT", "FRIEND", "FOLLOWER", "FOLLOWING", "MESSAGE_SENT", "MESSAGE_RECEIVED",
)  # fmt: skip
"""Kinds of facts in the order of USER_COUNTS, behind the three sums over photos."""

STAGES: dict[str, type[Stage]] = {
    "social.photos": Photos,
    "social.relations": Pairs,
    "social.messages": Conversations,
    "social.users": Accounts,
    "counters.contributions": Users,
}
"""The one fold of each input topic."""


def upsert(topic: str, row: Row) -> Upsert:
    """A row as a value that can be counted."""
    return Upsert(topic, tuple(sorted(row.items())))


def _acts_of(photo: Photo, message: Any) -> Counter[tuple[int, str]]:
    """Who has a like, or the comment at stake, on a photo: what the message could change."""
    acts: Counter[tuple[int, str]] = Counter()
    if getattr(message, "user_id", None) in photo.fans:
        acts[message.user_id, "LIKE"] += 1
    author = photo.comments.get(getattr(message, "comment_id", None))
    if author is not None:
        acts[author, "COMMENT"] += 1
    return acts


def _people_of(talk: Conversation, message_id: int) -> Counter[tuple[int, str]]:
    sent = talk.messages.get(message_id)
    if sent is None:
        return Counter()
    received = Counter((one, "MESSAGE_RECEIVED") for one in sent.recipients)
    return received + Counter({(sent.sender, "MESSAGE_SENT"): 1})


def _changes(before: Counter[tuple[int, str]], after: Counter[tuple[int, str]]) -> Iterator[Count]:
    for user_id, kind in before.keys() | after.keys():
        delta = after[user_id, kind] - before[user_id, kind]
        if delta:
            yield Count(user_id, kind, delta)


def rows_of(stage: Stage, keys: Sequence[Any]) -> Counter[Upsert]:
    """What is published when these keys changed."""
    return Counter(row for key in keys for row in stage.rows(key))
