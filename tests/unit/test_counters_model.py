"""The counters' folds against a recount that was written without them."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.counters import SERVICE
from services.counters.conversations import CONVERSATIONS
from services.counters.photos import PHOTOS
from services.counters.users import USERS
from tests.model.events import (
    message_sequences,
    photo_sequences,
    random_events,
    relation_sequences,
    sequences,
)
from tests.model.recount import recount

CONTRIBUTIONS = "counters.contributions"


def counted(events, commits=()):
    """Rows by results topic, as the two stages give them with commits after those many events."""
    contributions = [
        one
        for fold in SERVICE.folds
        if fold is not USERS
        for one in stage(fold, events, sorted({*commits, len(events)}))
    ]
    return {
        "counters.photos": rows(PHOTOS.replay(events).of("counters.photos")),
        "counters.conversations": rows(CONVERSATIONS.replay(events).of("counters.conversations")),
        "counters.users": rows(USERS.replay(contributions)),
    }


def stage(fold, events, commits):
    """What a fold of the first stage writes for the second: facts, then upserts, at each commit."""
    has_upserts = any(rule.into == CONTRIBUTIONS for rule in fold.results)
    written = 0
    for end in commits:
        replayed = fold.replay(events[:end])
        yield from replayed.emitted[written:]
        written = len(replayed.emitted)
        if has_upserts:
            for upserts in replayed.of(CONTRIBUTIONS).values():
                yield from upserts


def rows(results):
    return {key: msgspec.structs.asdict(result) for key, result in results.items()}


def commits():
    """After how many events the first stage commits, beside the end."""
    return st.lists(st.integers(0, 60), max_size=3)


@settings(max_examples=1_000)
@given(photo_sequences(), commits())
def test_photos_equal_the_recount(events, at):
    """Likes, comments, shares and deletions in any order, delivered in any number of commits."""
    assert recount(events).by_topic() == counted(events, at)


@settings(max_examples=1_000)
@given(relation_sequences())
def test_relations_equal_the_recount(events):
    """Requests that cross, blocks between them, follows both ways, pairs of one."""
    assert recount(events).by_topic() == counted(events)


@settings(max_examples=500)
@given(message_sequences())
def test_conversations_equal_the_recount(events):
    """Messages sent twice, deleted before they are sent, to nobody or to oneself."""
    assert recount(events).by_topic() == counted(events)


@settings(max_examples=1_000)
@given(sequences(), commits())
def test_all_events_equal_the_recount(events, at):
    """The second stage sums what all folds of the first say about a user."""
    assert recount(events).by_topic() == counted(events, at)


def test_a_long_run_equals_the_recount():
    """Wider pools of ids, so that states grow past what a short sequence can make."""
    events = list(random_events(seed=5, n=20_000))

    assert recount(events).by_topic() == counted(events, [7_000])
