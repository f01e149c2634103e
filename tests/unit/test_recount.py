"""The recount that judges the counters must itself be right: rule by rule, by hand."""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from schemas import social as s
from tests.model.events import EVENT_TYPES, random_events, sequences
from tests.model.recount import USER_COUNTS, recount


def photo(events, photo_id=5):
    return recount(events).photos[photo_id]


def user(events, user_id):
    row = recount(events).users[user_id]
    return {name: row[name] for name in USER_COUNTS if row[name]}


def liked(user_id, owner_id=9, photo_id=5):
    return s.PhotoLiked(user_id=user_id, photo_id=photo_id, owner_id=owner_id)


def unliked(user_id):
    return s.PhotoUnliked(user_id=user_id, photo_id=5, owner_id=9)


def commented(comment_id, author_id, photo_id=5):
    return s.CommentPosted(
        comment_id=comment_id, photo_id=photo_id, owner_id=9, author_id=author_id
    )


def uncommented(comment_id, author_id=0):
    return s.CommentDeleted(comment_id=comment_id, photo_id=5, owner_id=9, author_id=author_id)


def comment_liked(comment_id, user_id):
    return s.CommentLiked(
        user_id=user_id, comment_id=comment_id, photo_id=5, owner_id=9, author_id=2
    )


POSTED = s.PhotoPosted(photo_id=5, owner_id=9)
DELETED = s.PhotoDeleted(photo_id=5, owner_id=9)


def test_the_first_like_makes_a_photo_row_and_two_user_rows():
    """Nothing must exist first."""
    expected = recount([liked(3)])

    assert {
        5: {
            "photo_id": 5,
            "owner_id": 9,
            "likes": 1,
            "comments": 0,
            "comment_likes": 0,
            "shares": 0,
            "deleted": False,
        }
    } == expected.photos
    assert {3, 9} == set(expected.users)
    assert {} == expected.conversations


def test_a_double_like_counts_once_and_a_like_taken_back_not_at_all():
    """Likes are users whose last act is a like."""
    events = [liked(3), liked(3), liked(4), unliked(4), unliked(7)]

    assert 1 == photo(events)["likes"]
    assert {"likes_received": 1} == user(events, 9)
    assert {"likes_given": 1} == user(events, 3)
    assert {} == user(events, 4)
    assert 7 not in recount(events).users


def test_a_deleted_photo_keeps_what_was_given_and_takes_nothing_more():
    """Deletion closes the id for ever, also for unlikes and comment deletions."""
    events = [POSTED, liked(3), commented(1, 4), DELETED, unliked(3), uncommented(1), liked(6)]

    row = photo(events)

    assert (True, 9, 0, 0) == (row["deleted"], row["owner_id"], row["likes"], row["comments"])
    assert {} == user(events, 9)
    assert {"likes_given": 1} == user(events, 3)
    assert {"comments_given": 1} == user(events, 4)
    assert 6 not in recount(events).users


def test_a_photo_deleted_unseen_can_never_be_posted():
    """The deletion may be first in the log."""
    events = [DELETED, s.PhotoPosted(photo_id=5, owner_id=8)]

    assert (True, 9) == (photo(events)["deleted"], photo(events)["owner_id"])
    assert {9} == set(recount(events).users)


def test_likes_move_to_the_owner_who_posted():
    """A like may name another owner than the post that follows; the first post wins."""
    events = [liked(3, owner_id=8), POSTED, s.PhotoPosted(photo_id=5, owner_id=7), liked(4, 7)]

    assert 9 == photo(events)["owner_id"]
    assert {"photos": 1, "likes_received": 2} == user(events, 9)
    assert {} == user(events, 8)
    assert 7 not in recount(events).users


def test_a_comment_belongs_to_its_first_author_and_its_id_is_closed_by_deletion():
    """Re-posts change nothing, and what deletes a comment may name the wrong author."""
    events = [commented(1, 2), commented(1, 3), uncommented(1, 3), commented(1, 3), uncommented(4)]

    assert 0 == photo([*events, commented(4, 3)])["comments"]
    assert {} == user(events, 2)
    assert 3 not in recount(events).users


def test_comment_ids_belong_to_their_photo():
    """The same number on two photos is two comments: they are folded under different keys."""
    events = [commented(1, 2), commented(1, 2, photo_id=6), uncommented(1)]

    assert 0 == photo(events)["comments"]
    assert 1 == photo(events, 6)["comments"]


def test_likes_of_a_comment_are_pairs_and_go_with_it():
    """A like may come before the comment; after the deletion none counts."""
    events = [comment_liked(1, 3), comment_liked(1, 3), comment_liked(1, 4), comment_liked(2, 3)]

    assert 3 == photo(events)["comment_likes"]
    assert 1 == photo([*events, uncommented(1), comment_liked(1, 5)])["comment_likes"]
    assert {9} == set(recount(events).users)


def test_shares_are_counted_by_their_id():
    """A share has no way back and no user of its own in the counters."""
    shares = [s.PhotoShared(share_id=n, photo_id=5, owner_id=9, user_id=1) for n in (1, 1, 2)]

    assert 2 == photo(shares)["shares"]


def requested(one, other):
    return s.FriendRequested(requester_id=one, addressee_id=other)


def accepted(one, other):
    return s.FriendAccepted(requester_id=one, addressee_id=other)


def followed(one, other):
    return s.UserFollowed(follower_id=one, followee_id=other)


def test_only_the_open_request_can_be_answered():
    """An acceptance, refusal or withdrawal names the requester."""
    declined = s.FriendDeclined(requester_id=2, addressee_id=1)
    cancelled = s.FriendRequestCancelled(requester_id=1, addressee_id=2)

    assert {} == recount([accepted(1, 2)]).users
    assert {} == recount([requested(1, 2), accepted(2, 1)]).users
    assert {} == recount([requested(1, 2), cancelled, accepted(1, 2)]).users
    assert {"friends": 1} == user([requested(1, 2), declined, accepted(1, 2)], 1)


def test_a_crossing_request_makes_friends():
    """Both asked, so nobody has to accept."""
    events = [requested(1, 2), requested(2, 1)]

    assert {"friends": 1} == user(events, 1)
    assert {} == user([*events, s.FriendRemoved(user_id=2, friend_id=1)], 1)


def test_a_block_ends_everything_and_lets_nothing_begin():
    """Unblocking restores nothing; one of two blocks is enough."""
    block, unblock = (kind(user_id=1, target_id=2) for kind in (s.UserBlocked, s.UserUnblocked))
    block_back = s.UserBlocked(user_id=2, target_id=1)
    before = [requested(1, 2), accepted(1, 2), followed(1, 2), followed(2, 1)]

    assert {"friends": 1, "followers": 1, "following": 1} == user(before, 1)
    assert {} == user([*before, block, followed(2, 1), requested(2, 1), unblock], 1)
    assert {} == user([*before, block, block_back, unblock, followed(1, 2)], 1)
    assert {"following": 1} == user([*before, block, unblock, followed(1, 2)], 1)


def test_two_equal_ids_have_no_effect():
    """Not even a row."""
    assert {} == recount([requested(1, 1), requested(1, 1), followed(1, 1)]).users


def sent(message_id, *recipients, sender=1):
    return s.MessageSent(
        message_id=message_id, conversation_id=7, sender_id=sender, recipient_ids=list(recipients)
    )


def message_deleted(message_id):
    return s.MessageDeleted(message_id=message_id, conversation_id=7, sender_id=1)


def test_a_message_counts_once_for_each_other_recipient():
    """The sender is no recipient, repeated ones count once, and its first sending counts."""
    events = [sent(1, 1, 2, 2), sent(1, 4, sender=3), sent(2, 3)]

    expected = recount(events)

    assert {7: {"conversation_id": 7, "messages": 2, "participants": 3}} == expected.conversations
    assert {"messages_sent": 2} == user(events, 1)
    assert {"messages_received": 1} == user(events, 2)
    assert 4 not in expected.users


def test_a_deleted_message_is_gone_for_ever():
    """Also when it was deleted before it was sent."""
    events = [sent(1, 2), message_deleted(1), sent(1, 2), message_deleted(2), sent(2, 3)]

    expected = recount(events)

    assert {7: {"conversation_id": 7, "messages": 0, "participants": 0}} == expected.conversations
    assert {1, 2} == set(expected.users)


def test_reading_makes_no_row():
    """Nothing counts what was read."""
    read = s.MessageRead(conversation_id=7, user_id=1, read_up_to=3)

    assert {} == recount([read]).conversations


def test_registration_makes_a_row_of_zeros_and_deletion_takes_none_away():
    """UserDeleted changes no counter yet."""
    events = [s.UserRegistered(user_id=1), s.UserDeleted(user_id=1), s.UserDeleted(user_id=2)]

    assert {1: {"user_id": 1, **dict.fromkeys(USER_COUNTS, 0)}} == recount(events).users


def test_json_forms_are_counted_like_structs():
    """Lines of an event file can be recounted as they are."""
    line = {"type": "social.PhotoLiked", "user_id": 3, "photo_id": 5, "owner_id": 9}

    assert recount([liked(3)]) == recount([line])


@given(sequences())
def test_what_is_given_was_received_while_no_photo_is_deleted(events):
    """Both sides of each act are counted from the same sets."""
    expected = recount(one for one in events if not isinstance(one, s.PhotoDeleted))

    totals = {name: sum(row[name] for row in expected.users.values()) for name in USER_COUNTS}

    assert totals["likes_given"] == totals["likes_received"]
    assert totals["comments_given"] == totals["comments_received"]
    assert totals["followers"] == totals["following"]
    assert totals["messages_sent"] == sum(
        row["messages"] for row in expected.conversations.values()
    )


def test_the_generator_makes_every_type_and_repeats_itself():
    """A broker run must be able to meet every rule, and be told again by its seed."""
    events = list(random_events(7, 5_000))

    kinds = Counter(type(one) for one in events)

    assert set(EVENT_TYPES) == set(kinds)
    assert events == list(random_events(7, 5_000))
    assert events != list(random_events(8, 5_000))
