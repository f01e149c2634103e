"""Evidence of a tiny trial in which nothing went wrong, written by hand: what bad ones start from.

User 9 posts photo 5; users 3 and 4 like it. The first stage commits after the first like and after
the second, the second stage after each of those.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from schemas.counters import ActorCounted, ActorKind, PhotoContribution, PhotoCounters, UserCounters
from schemas.social import PhotoLiked, PhotoPosted
from services.counters import photos, users
from streams.events.ids import derived_event_id
from streams.events.message import Message
from streams.ports.records import Position, TopicPartition
from streams.state.entries import Entries
from streams.state.members import Members
from tests.faults.checker.evidence import End, Evidence, Glance, Got, Sample, Seen, StoreDump
from tests.faults.history import Answer, Written, digest_of

PHOTOS = TopicPartition("social.photos", 0)
CONTRIBUTIONS = TopicPartition("counters.contributions", 0)
PHOTO_ROWS = TopicPartition("counters.photos", 0)
USER_ROWS = TopicPartition("counters.users", 0)

POSTED = PhotoPosted(photo_id=5, owner_id=9, event_id=b"a" * 16)
LIKED = PhotoLiked(user_id=3, photo_id=5, owner_id=9, event_id=b"b" * 16)
LIKED_TOO = PhotoLiked(user_id=4, photo_id=5, owner_id=9, event_id=b"c" * 16)
FAILED = PhotoLiked(user_id=6, photo_id=5, owner_id=9, event_id=b"d" * 16)
UNKNOWN = PhotoLiked(user_id=7, photo_id=5, owner_id=9, event_id=b"e" * 16)


def small_trial() -> Evidence:
    """All of it, green."""
    log = {
        PHOTOS: [seen(0, POSTED), seen(1, LIKED), seen(2, LIKED_TOO)],
        CONTRIBUTIONS: [
            seen(0, fact(LIKED, 1), at=1),
            seen(1, PhotoContribution(9, 5, photos=1, likes=1, comments=0), at=1),
            seen(3, fact(LIKED_TOO, 2), at=2),
            seen(4, PhotoContribution(9, 5, photos=1, likes=2, comments=0), at=2),
        ],
        PHOTO_ROWS: [seen(0, photo_row(1), at=1), seen(2, photo_row(2), at=2)],
        USER_ROWS: [
            seen(0, user_row(3, likes_given=1), at=1, of=CONTRIBUTIONS),
            seen(1, user_row(9, photos=1, likes_received=1), at=1, of=CONTRIBUTIONS),
            seen(3, user_row(4, likes_given=1), at=4, of=CONTRIBUTIONS),
            seen(4, user_row(9, photos=1, likes_received=2), at=4, of=CONTRIBUTIONS),
        ],
    }
    ends = {PHOTOS: 3, CONTRIBUTIONS: 6, PHOTO_ROWS: 4, USER_ROWS: 6}
    return Evidence(
        history={one.event_id: one for one in _history()},
        log=log,
        ends={source: End(end, end) for source, end in ends.items()},
        positions={PHOTOS: 3, CONTRIBUTIONS: 6},
        live={
            source: [[Glance(one.offset, one.crc) for one in records]]
            for source, records in log.items()
        },
        samples=[
            Sample(0.5, PHOTOS, 2, published=2),
            Sample(0.5, CONTRIBUTIONS, 0),
            Sample(1.0, PHOTOS, 3, published=2),
            Sample(1.0, CONTRIBUTIONS, 3),
        ],
        stores=[
            StoreDump(PHOTOS, 3, {"photos": {5: _photo_state()}}),
            StoreDump(CONTRIBUTIONS, 6, {"users": dict(_user_states())}),
        ],
        gets=[
            Got("counters.photos", 5, 0, 0, photo_row(1)),
            Got("counters.photos", 5, 0, 2, photo_row(2)),
        ],
    )


def changed(
    evidence: Evidence, source: TopicPartition, change: Callable[[list[Seen]], list[Seen]]
) -> Evidence:
    """The same with another log of one partition, as if the live reader had seen that too."""
    log = {**evidence.log, source: change(list(evidence.log[source]))}
    glances = [Glance(one.offset, one.crc) for one in log[source]]
    return replace(evidence, log=log, live={**evidence.live, source: [glances]})


def seen(
    offset: int, message: Message, *, at: int | None = None, of: TopicPartition = PHOTOS
) -> Seen:
    """A record; an output's header says that it is made `of` a partition `at` an offset."""
    source = None if at is None else Position(*of, at)
    return Seen(offset, b"key", zlib.crc32(repr(message).encode()), message, source)


def fact(cause: PhotoLiked, offset: int, **fields: Any) -> ActorCounted:
    """What a like leads to."""
    user_id = cause.user_id
    output = (ActorCounted.avro_name, str(user_id), 0)
    event_id = derived_event_id("photos", *PHOTOS, offset, output)
    made = ActorCounted(user_id=user_id, kind=ActorKind.LIKE, delta=1, event_id=event_id)
    return msgspec.structs.replace(made, **fields)


def photo_row(likes: int) -> PhotoCounters:
    """The row of photo 5."""
    return PhotoCounters(
        photo_id=5, owner_id=9, likes=likes, comments=0, comment_likes=0, shares=0, deleted=False
    )


def user_row(user_id: int, **counts: int) -> UserCounters:
    """The row of a user; what is not named is 0."""
    names = [one for one in UserCounters.__struct_fields__ if one != "user_id"]
    return UserCounters(user_id, **{**dict.fromkeys(names, 0), **counts})


def _history() -> list[Written]:
    sent = [
        (POSTED, Answer.OK, 0),
        (LIKED, Answer.OK, 1),
        (LIKED_TOO, Answer.OK, 2),
        (FAILED, Answer.FAIL, -1),
        (UNKNOWN, Answer.UNKNOWN, -1),
    ]
    return [
        Written(event.event_id, "social.photos", "5", number, digest_of(event), answer, 0, offset)
        for number, (event, answer, offset) in enumerate(sent)
    ]


def _photo_state() -> photos.Photo:
    return photos.Photo(owner_id=9, is_posted=True, fans=Members([3, 4]))


def _user_states() -> dict[int, users.User]:
    given = {ActorKind.LIKE: 1}
    contributions = Entries({5: users.Contribution(photos=1, likes=2, comments=0)})
    return {
        3: users.User(acts=dict(given)),
        4: users.User(acts=dict(given)),
        9: users.User(contributions=contributions, photos=1, likes=2),
    }
