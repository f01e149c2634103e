"""A photo app of 100 users as our events: its rows in referential order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from schemas import social
from streams.events.message import Event
from tests.acceptance.datasets import answers, lines
from tests.model.recount import Rows

_INSERT = re.compile(r"INSERT INTO (\w+) ?\(.*?\) VALUES ")
_ROW = re.compile(r"\(((?:'[^']*'|[^()'])*)\)")
_FIELD = re.compile(r"'([^']*)'|(-?\d+)")

_START_US = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""Rows without a time (all but users) happen one a second from here, after the last sign-up."""

_ANSWERED = (
    "likes_per_photo",
    "comments_per_photo",
    "followers",
    "likes_received_per_user",
    "users_who_liked_every_photo",
    "users_without_photos",
)


def igclone() -> list[Event]:
    """Every row as an event."""
    return list(_events())


def expected_igclone() -> dict[str, Any]:
    """The known answers that counters can give."""
    known = answers("igclone")
    rows = known["rows"]
    return {
        **{name: known[name] for name in _ANSWERED},
        "most_liked_photo": [[row[0], row[1], row[3]] for row in known["most_liked_photo"]],
        "rows": {name: rows[name] for name in ("users", "photos", "follows", "comments", "likes")},
    }


def igclone_answers(photos: Rows, users: Rows) -> dict[str, Any]:
    """The same, read off the rows of counters.photos and counters.users."""
    most = max(row["likes"] for row in photos.values())
    return {
        "likes_per_photo": _per_key(photos, "likes"),
        "comments_per_photo": _per_key(photos, "comments"),
        "followers": _per_key(users, "followers"),
        "likes_received_per_user": _per_key(users, "likes_received"),
        "users_who_liked_every_photo": sorted(
            user for user, row in users.items() if row["likes_given"] == len(photos)
        ),
        "users_without_photos": sum(row["photos"] == 0 for row in users.values()),
        "most_liked_photo": sorted(
            [photo, row["owner_id"], most] for photo, row in photos.items() if row["likes"] == most
        ),
        "rows": {
            "users": len(users),
            "photos": _total(users, "photos"),
            "follows": _total(users, "following"),
            "comments": _total(photos, "comments"),
            "likes": _total(users, "likes_given"),
        },
    }


def _per_key(rows: Rows, field: str) -> dict[str, int]:
    return {str(key): row[field] for key, row in rows.items() if row[field]}


def _total(rows: Rows, field: str) -> int:
    return sum(row[field] for row in rows.values())


@cache
def _tables() -> dict[str, list[list[Any]]]:
    """Rows by table; numbers are int, the rest text."""
    tables = {}
    for line in lines("igclone/dataset.sql.gz"):
        statement = _INSERT.match(line)
        if statement:
            rows = _ROW.findall(line, statement.end())
            tables[statement[1]] = [
                [int(number) if number else text for text, number in _FIELD.findall(row)]
                for row in rows
            ]
    return tables


def _events() -> Iterator[Event]:
    for place, event in enumerate(_unstamped()):
        at_us = event.occurred_at or _START_US + place * 1_000_000
        yield msgspec.structs.replace(event, occurred_at=at_us)


def _unstamped() -> Iterator[Event]:
    tables = _tables()
    owners = {photo: owner for photo, (_, owner) in enumerate(tables["photos"], 1)}
    tags = _tags_by_photo(tables)
    for user, (handle, created_at) in enumerate(tables["users"], 1):
        yield social.UserRegistered(user_id=user, handle=handle, occurred_at=_micros(created_at))
    for photo, (url, owner) in enumerate(tables["photos"], 1):
        yield social.PhotoPosted(photo_id=photo, owner_id=owner, tags=tags[photo], media_url=url)
    for follower, followee in tables["follows"]:
        yield social.UserFollowed(follower_id=follower, followee_id=followee)
    for comment, (text, author, photo) in enumerate(tables["comments"], 1):
        yield social.CommentPosted(
            comment_id=comment,
            photo_id=photo,
            owner_id=owners[photo],
            author_id=author,
            text=text,
        )
    for user, photo in tables["likes"]:
        yield social.PhotoLiked(user_id=user, photo_id=photo, owner_id=owners[photo])


def _tags_by_photo(tables: dict[str, list[list[Any]]]) -> dict[int, list[str]]:
    names = [name for (name,) in tables["tags"]]
    tags = defaultdict(list)
    for photo, tag in tables["photo_tags"]:
        tags[photo].append(names[tag - 1])
    return tags


def _micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000) * 1_000
