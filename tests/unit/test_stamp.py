"""The stamp that gives events their id and time."""

import uuid

from msgspec.structs import replace

from schemas.social import PhotoLiked
from streams.events.message import UNSTAMPED
from streams.sdk.stamp import Stamp

NOW_US = 1_763_700_000_123_456
LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


def test_id_and_time_come_from_one_look_at_the_clock():
    """Sorting by either gives the same order."""
    event = Stamp(lambda: NOW_US)(LIKE)

    assert (NOW_US, NOW_US // 1_000) == (
        event.occurred_at,
        uuid.UUID(bytes=event.event_id).int >> 80,
    )
    assert LIKE == replace(event, event_id=UNSTAMPED, occurred_at=0)


def test_what_is_there_is_kept():
    """Imported events bring their times along, events sent again their ids."""
    stamp = Stamp(lambda: NOW_US)
    with_time = replace(LIKE, occurred_at=7)
    with_id = replace(LIKE, event_id=bytes(range(16)))

    assert (7, False) == (stamp(with_time).occurred_at, stamp(with_time).event_id == UNSTAMPED)
    assert replace(with_id, occurred_at=NOW_US) == stamp(with_id)
