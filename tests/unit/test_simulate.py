"""`simulate`: a user's own service under crashes, duplicates, rebalances and zombies."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.demo import LikesCounted
from schemas.social import (
    CommentPosted,
    FriendAccepted,
    FriendRequested,
    MessageSent,
    PhotoLiked,
    PhotoPosted,
    PhotoUnliked,
    UserRegistered,
)
from services.counters import SERVICE as COUNTERS
from streams import Fold, InputError, Members, SchemaMismatch, Service
from streams.testing import simulate
from streams.testing.case import Case
from streams.testing.schedule import NUMBERS, Schedule, Setup

LIKES = Fold("likes", reads="social.photos", key="photo_id", state=Members)


@LIKES.on(PhotoLiked)
def liked(fans, event):
    fans.add(event.user_id)


@LIKES.on(PhotoUnliked)
def unliked(fans, event):
    fans.discard(event.user_id)


@LIKES.result(into="demo.counts")
def count(photo_id, fans):
    return LikesCounted(photo_id=photo_id, likes=len(fans))


SERVICE = Service("likes", folds=[LIKES])
EVENTS = [PhotoLiked(user_id=user, photo_id=5, owner_id=9) for user in (1, 2, 1)]


def test_likes_survive_anything():
    """The three lines of the README."""
    simulate(SERVICE, EVENTS, seed=7).check()


def test_a_service_of_two_stages_survives_too():
    """What one of its folds writes another one reads."""
    events = [
        UserRegistered(user_id=1, display_name="Ada"),
        PhotoPosted(photo_id=5, owner_id=9, caption="A boat"),
        PhotoLiked(user_id=1, photo_id=5, owner_id=9),
        CommentPosted(comment_id=1, photo_id=5, owner_id=9, author_id=3, text="Ahoy"),
        FriendRequested(requester_id=3, addressee_id=9),
        FriendAccepted(requester_id=3, addressee_id=9),
        MessageSent(message_id=1, conversation_id=4, sender_id=1, recipient_ids=[3], text="Hi"),
    ]

    simulate(COUNTERS, events, seed=7, schedules=10).check()


def test_a_result_says_how_much_was_tried():
    """A few schedules prove little; thousands a minute are to be had."""
    told = str(simulate(SERVICE, EVENTS, seed=7, schedules=20))

    assert re.fullmatch(
        r"likes: 20 schedules, nothing wrong \(seed 7; [\d,]+ schedules a minute\)", told
    )


def test_a_schedule_that_was_printed_is_played():
    """It is one schedule; no other is drawn."""
    found = simulate(SERVICE, EVENTS, schedule="given workers=1\nemit 3\nstart 0\nrun 0 100")

    assert (1, None) == (found.schedules, found.report)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"service": LIKES}, "wanted a Service"),
        ({"events": []}, "found 0 events"),
        ({"schedules": 0}, "and 0 schedules, wanted one or more"),
        ({"events": ["a like"]}, "found 'a like' among the events"),
        ({"events": [UserRegistered(user_id=1, display_name="Ada")]}, "which is on social.users"),
        ({"events": [LikesCounted(photo_id=5, likes=1)]}, "wanted events of what likes reads"),
        ({"schedule": "jump 3"}, "found the step 'jump', wanted one of emit, again"),
        ({"schedule": "emit"}, "found the step 'emit', wanted 1 numbers behind it"),
        ({"schedule": "run 0 far"}, "wanted 2 numbers behind it"),
        ({"schedule": "given speed=3"}, "found 'speed=3' in a schedule"),
        ({"schedule": "given hosts=many"}, "wanted a number"),
        ({"schedule": "given hosts=0"}, "wanted more than 0"),
        ({"schedule": "given protocol=raft"}, "wanted consumer or classic"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments, wanted):
    """Before anything runs, with what was found and what was wanted."""
    with pytest.raises(InputError, match=re.escape(wanted)):
        simulate(**{"service": SERVICE, "events": EVENTS, **arguments})


def test_an_event_that_fits_no_schema_is_refused():
    """It could not have been emitted either."""
    with pytest.raises(SchemaMismatch, match="user_id"):
        simulate(SERVICE, [PhotoLiked(user_id="1", photo_id=5, owner_id=9)])


SETUPS = st.builds(
    Setup, workers=st.integers(1, 3), protocol=st.sampled_from(["consumer", "classic"])
)
STEPS = st.sampled_from(sorted(NUMBERS)).flatmap(
    lambda word: st.tuples(st.just(word), *[st.integers(0, 99)] * NUMBERS[word])
)


@given(SETUPS, st.lists(STEPS))
def test_a_schedule_is_its_text(setup, steps):
    """What is printed is what is played."""
    schedule = Schedule(setup, tuple(steps))

    assert schedule == Schedule.parse(str(schedule))


@given(SETUPS, st.lists(STEPS, max_size=12))
def test_every_schedule_is_legal(setup, steps):
    """So steps can be taken out of one, or written by hand."""
    case = Case(service=SERVICE, events=tuple(EVENTS), schedule=Schedule(setup, tuple(steps)))

    assert case.play() is None
