"""A social network as our events: a snapshot in referential order, then its updates by time.

A post is a photo, a reply a comment on the photo of its thread's root post.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from schemas import social
from streams.events.message import Event
from tests.acceptance.datasets import answers, lines, top
from tests.model.recount import Rows

_TOP = 20
_NONE = "-1"
_ANSWERED = (
    "after_updates",
    "top20_posts_by_likes",
    "top20_posts_by_comments_in_thread",
    "posts_per_person",
    "friends_per_person",
)


def ldbc_initial() -> list[Event]:
    """The snapshot alone."""
    return list(_Network().snapshot())


def ldbc_snb() -> list[Event]:
    """The snapshot and all updates."""
    network = _Network()
    return [*network.snapshot(), *network.updates()]


def expected_ldbc_snb() -> dict[str, Any]:
    """The known answers that counters can give after the whole stream."""
    known = answers("ldbc_snb")
    return {name: known[name] for name in _ANSWERED}


def ldbc_answers(photos: Rows, users: Rows) -> dict[str, Any]:
    """The same, read off the rows of counters.photos and counters.users."""
    return {
        "after_updates": ldbc_totals(photos, users),
        "top20_posts_by_likes": top(((one, row["likes"]) for one, row in photos.items()), _TOP),
        "top20_posts_by_comments_in_thread": top(
            ((one, row["comments"]) for one, row in photos.items()), _TOP
        ),
        "posts_per_person": {
            str(user): row["photos"] for user, row in users.items() if row["photos"]
        },
        "friends_per_person": {str(user): row["friends"] for user, row in users.items()},
    }


def ldbc_totals(photos: Rows, users: Rows) -> dict[str, int]:
    """Sizes of the network, in the words of the data set."""
    return {
        "persons": len(users),
        "friendships": sum(row["friends"] for row in users.values()) // 2,
        "posts": sum(row["photos"] for row in users.values()),
        "comments": sum(row["comments"] for row in photos.values()),
        "likes_post": sum(row["likes"] for row in photos.values()),
        "likes_comment": sum(row["comment_likes"] for row in photos.values()),
    }


class _Network:
    """What later rows need of earlier ones: who owns a post, who wrote a comment, and on what."""

    def __init__(self) -> None:
        self._owners: dict[int, int] = {}  # post -> author
        self._comments: dict[int, tuple[int, int]] = {}  # comment -> (root post, author)

    def snapshot(self) -> Iterator[Event]:
        for row in _table("person"):
            yield self._person(row[0], row[1], row[2], row[5])
        for one, other, created in _table("person_knows_person"):
            yield from self._friendship(one, other, created)
        authors = dict(_table("post_hasCreator_person"))
        for row in _table("post"):
            yield self._post(row[0], authors[row[0]], row[6], row[2])
        yield from self._comments_of_snapshot()
        for person, post, created in _table("person_likes_post"):
            yield self._post_liked(person, post, created)
        for person, comment, created in _table("person_likes_comment"):
            yield self._comment_liked(person, comment, created)

    def updates(self) -> Iterator[Event]:
        rows = [
            line.split("|")
            for stream in ("person", "forum")
            for line in lines(f"ldbc_snb/updates/updateStream_{stream}.csv.gz")
        ]
        for row in sorted(rows, key=lambda fields: int(fields[0])):
            yield from self._update(row[2], row[3:])

    def _update(self, op: str, row: list[str]) -> Iterator[Event]:
        """The events of one row; forums and their members (4, 5) have none."""
        if op == "1":
            yield self._person(row[0], row[1], row[2], row[5])
        elif op == "2":
            yield self._post_liked(*row)
        elif op == "3":
            yield self._comment_liked(*row)
        elif op == "6":
            yield self._post(row[0], row[8], row[6], row[2])
        elif op == "7":
            parent = row[8] if row[8] != _NONE else row[9]
            yield self._comment(row[0], row[6], parent, row[4], row[1])
        elif op == "8":
            yield from self._friendship(*row)

    def _comments_of_snapshot(self) -> Iterator[Event]:
        authors = dict(_table("comment_hasCreator_person"))
        parents = dict(_table("comment_replyOf_post")) | dict(_table("comment_replyOf_comment"))
        for row in sorted(_table("comment"), key=lambda fields: (int(fields[1]), int(fields[0]))):
            yield self._comment(row[0], authors[row[0]], parents[row[0]], row[4], row[1])

    def _person(self, person: str, first: str, last: str, created_ms: str) -> Event:
        return social.UserRegistered(
            user_id=int(person), display_name=f"{first} {last}", occurred_at=_micros(created_ms)
        )

    def _friendship(self, one: str, other: str, created_ms: str) -> Iterator[Event]:
        """Asked and accepted at once: the data knows only that they are friends."""
        kinds: tuple[Callable[..., Event], ...] = (social.FriendRequested, social.FriendAccepted)
        for kind in kinds:
            yield kind(
                requester_id=int(one), addressee_id=int(other), occurred_at=_micros(created_ms)
            )

    def _post(self, post: str, author: str, content: str, created_ms: str) -> Event:
        self._owners[int(post)] = int(author)
        return social.PhotoPosted(
            photo_id=int(post),
            owner_id=int(author),
            caption=content,
            occurred_at=_micros(created_ms),
        )

    def _comment(
        self, comment: str, author: str, parent: str, content: str, created_ms: str
    ) -> Event:
        replied = self._comments.get(int(parent))
        post = replied[0] if replied else int(parent)
        self._comments[int(comment)] = (post, int(author))
        return social.CommentPosted(
            comment_id=int(comment),
            photo_id=post,
            owner_id=self._owners[post],
            author_id=int(author),
            parent_comment_id=int(parent) if replied else None,
            text=content,
            occurred_at=_micros(created_ms),
        )

    def _post_liked(self, person: str, post: str, created_ms: str) -> Event:
        return social.PhotoLiked(
            user_id=int(person),
            photo_id=int(post),
            owner_id=self._owners[int(post)],
            occurred_at=_micros(created_ms),
        )

    def _comment_liked(self, person: str, comment: str, created_ms: str) -> Event:
        post, author = self._comments[int(comment)]
        return social.CommentLiked(
            user_id=int(person),
            comment_id=int(comment),
            photo_id=post,
            owner_id=self._owners[post],
            author_id=author,
            occurred_at=_micros(created_ms),
        )


def _table(name: str) -> Iterator[list[str]]:
    """Rows of a snapshot file, without its header."""
    rows = lines(f"ldbc_snb/initial/{name}.csv.gz")
    next(rows)
    return (row.split("|") for row in rows)


def _micros(milliseconds: str) -> int:
    return int(milliseconds) * 1_000
