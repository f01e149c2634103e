"""Keys of records: fields joined by a colon, or two ids in numeric order."""

from __future__ import annotations

import pytest

from schemas.social import FriendRequested, PhotoLiked
from streams.topics.keys import bytes_reader, key_reader, key_text

LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


def test_a_single_field_is_the_key_itself():
    """Folds name their state by it, so it must not come wrapped."""
    assert key_reader(("photo_id",), is_pair=False)(LIKE) == 5
    assert bytes_reader(("photo_id",), is_pair=False)(LIKE) == b"5"


def test_several_fields_keep_their_order():
    """`3:5` and `5:3` are different keys unless the topic says pair."""
    assert key_reader(("photo_id", "user_id"), is_pair=False)(LIKE) == (5, 3)
    assert bytes_reader(("photo_id", "user_id"), is_pair=False)(LIKE) == b"5:3"


@pytest.mark.parametrize(("requester", "addressee"), [(9, 10), (10, 9)])
def test_a_pair_is_ordered_as_numbers(requester, addressee):
    """As texts 10 would come before 9, and the two sides would meet on two keys."""
    event = FriendRequested(requester_id=requester, addressee_id=addressee)
    fields = ("requester_id", "addressee_id")

    assert key_reader(fields, is_pair=True)(event) == (9, 10)
    assert bytes_reader(fields, is_pair=True)(event) == b"9:10"


def test_a_key_has_one_text():
    """Readers look results up by the text of the key."""
    assert ["5", "ann", "-1:3"] == [key_text(key) for key in (5, "ann", (-1, 3))]
