"""What the demo emits, and its own recount of it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given

from schemas import social
from services.demo.generator import PHOTOS, USERS, social_events
from services.demo.recount import KINDS, recount
from tests.model.events import random_events, sequences
from tests.model.recount import recount as judge

N = 60_000


def kind(event):
    return type(event).__name__


def test_the_traffic_has_every_kind_that_the_recount_knows():
    """A kind that never comes would be a counter that is never tried."""
    kinds = {kind(one) for one in social_events(1, N)}

    assert KINDS == kinds


def test_the_same_seed_gives_the_same_traffic():
    """A wrong counter can be looked for again."""
    assert list(social_events(1, N)) == list(social_events(1, N))
    assert list(social_events(2, N)) != list(social_events(1, N))


def test_a_few_photos_get_most_of_the_likes():
    """By Zipf's law the photo of rank r is liked 1 / r times as often as the first."""
    likes = Counter(one.photo_id for one in social_events(1, N) if kind(one) == "PhotoLiked")

    ranked = [count for _, count in likes.most_common()]

    assert 0.3 < sum(ranked[: PHOTOS // 100]) / sum(ranked) < 0.6
    assert 5 < ranked[0] / ranked[9] < 20
    assert 50 < ranked[0] / ranked[99] < 200


def test_likes_are_doubled_and_taken_back():
    """What plain adding and subtracting would get wrong."""
    standing = set()
    doubled = unliked = 0
    for one in social_events(1, N):
        if kind(one) == "PhotoLiked":
            doubled += (one.user_id, one.photo_id) in standing
            standing.add((one.user_id, one.photo_id))
        if kind(one) == "PhotoUnliked":
            unliked += (one.user_id, one.photo_id) in standing
            standing.discard((one.user_id, one.photo_id))

    assert doubled > 1_000
    assert unliked > 1_000


def test_every_counter_moves():
    """All fields of all three results topics, and deleted photos too."""
    rows = recount(social_events(1, N))

    totals = {
        (topic, field): sum(row[field] for row in rows[topic].values())
        for topic in rows
        for field in next(iter(rows[topic].values()))
    }

    assert all(totals.values())
    assert USERS == len(rows["counters.users"])
    assert PHOTOS == len(rows["counters.photos"])


def test_the_recount_agrees_with_the_tests_own_on_the_traffic():
    """Two people counted by different means."""
    events = list(social_events(3, N))

    assert judge(events).by_topic() == recount(events)


@given(sequences())
def test_the_recount_agrees_with_the_tests_own_on_colliding_events(events):
    """Small ids meet every rule of the kinds it knows."""
    known = [one for one in events if kind(one) in KINDS]

    assert judge(known).by_topic() == recount(known)


def test_the_recount_agrees_with_the_tests_own_on_a_long_run():
    """Wider ids, and every rule many times over."""
    known = [one for one in random_events(5, N) if kind(one) in KINDS]

    assert judge(known).by_topic() == recount(known)


def test_the_recount_imports_none_of_our_code():
    """It judges the counters, so it may share nothing with them."""
    script = (
        "import sys, services.demo.recount\n"
        "ours = {one for one in sys.modules if one.split('.')[0] in ('streams', 'schemas')}\n"
        "services = {one for one in sys.modules if one.startswith('services.')}\n"
        "sys.exit(bool(ours or services - {'services.demo', 'services.demo.recount'}))\n"
    )

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode


def test_an_unknown_kind_is_not_passed_over():
    """A silent recount of half the traffic would call right counters wrong."""
    blocked = social.UserBlocked(user_id=1, target_id=2)

    with pytest.raises(KeyError, match="UserBlocked"):
        recount([blocked])
