"""Event ids: UUIDs of the right kind, drawn in bulk or derived."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from streams.events.ids import (
    EventIds,
    derived_event_id,
    format_event_id,
)

NOW_US = 1_763_700_000_123_456


def test_drawn_ids_are_distinct_uuids_of_version_7():
    """RFC 9562: the first 48 bits are milliseconds, so ids sort by time."""
    ids = EventIds()

    drawn = [uuid.UUID(bytes=ids.draw(NOW_US)) for _ in range(2_000)]

    assert 2_000 == len(set(drawn))
    assert {(7, uuid.RFC_4122, NOW_US // 1_000)} == {
        (one.version, one.variant, one.int >> 80) for one in drawn
    }


def test_ids_follow_the_clock():
    """A cached prefix must not outlive its millisecond."""
    ids = EventIds()

    assert ids.draw(NOW_US) < ids.draw(NOW_US + 1_000) < ids.draw(NOW_US + 2_000)


def test_a_derived_id_depends_on_its_origin_alone():
    """A record folded again after a crash must give the same ids, and no other record may."""
    origin = ("likes", "social.photos", 3, 77, ("counters.LikesCounted", "5", 0))

    derived = derived_event_id(*origin)

    assert derived == derived_event_id(*origin)
    assert derived != derived_event_id("likes", "social.photos", 3, 78, origin[4])
    assert (8, uuid.RFC_4122) == (
        uuid.UUID(bytes=derived).version,
        uuid.UUID(bytes=derived).variant,
    )


@given(st.binary(min_size=16, max_size=16))
def test_the_text_of_an_id_reads_back(event_id):
    """Headers and JSON carry the text."""
    assert event_id == uuid.UUID(format_event_id(event_id)).bytes
