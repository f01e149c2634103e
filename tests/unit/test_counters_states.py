"""States of the counters on disk: what one more act costs when much is there."""

from __future__ import annotations

import pytest

from schemas.social import (
    CommentDeleted,
    CommentLiked,
    CommentUnliked,
    MessageSent,
    PhotoLiked,
)
from services.counters.conversations import CONVERSATIONS
from services.counters.photos import PHOTOS
from streams.state.codec import StateCodec
from streams.state.memory import MemoryStore

SMALL_BYTES = 4_096
"""A row without large collections, and a few changes."""


class Shelf:
    """Saves the state of one key of a fold and loads it as another process would."""

    def __init__(self, fold, key):
        self.fold = fold
        self.key = key
        self.store = MemoryStore()
        self.codec = StateCodec(fold.name, fold.state)

    def save(self, state):
        """Returns the bytes written."""
        puts, deletes = {}, []
        self.codec.save(self.key, state, puts, deletes, self.store)
        self.store.write(puts, deletes)
        return sum(map(len, puts)) + sum(map(len, puts.values()))

    def load(self):
        self.codec = StateCodec(self.fold.name, self.fold.state)
        return self.codec.load([self.key], self.store)[0]


class Emitted(list):
    """Stands in for the context."""

    def emit(self, fact):
        self.append(fact)


def fold_in(fold, state, *events):
    for event in events:
        handler = fold.handlers[type(event)]
        handler.handle(state, event, *([Emitted()] if handler.wants_context else []))


def like(user_id):
    return PhotoLiked(user_id=user_id, photo_id=5, owner_id=9)


def of_comment(event_type, comment_id, user_id):
    return event_type(user_id=user_id, comment_id=comment_id, photo_id=5, owner_id=9, author_id=1)


def uncommented(comment_id):
    return CommentDeleted(comment_id=comment_id, photo_id=5, owner_id=9, author_id=1)


def row_of(photo):
    return PHOTOS.results[0].conclude(5, photo)


@pytest.fixture(scope="module")
def crowded():
    """A photo with 200,000 comments, liked once each, saved."""
    shelf, photo = Shelf(PHOTOS, 5), PHOTOS.state()
    fold_in(PHOTOS, photo, *(of_comment(CommentLiked, one, one % 5_000) for one in range(200_000)))
    shelf.save(photo)
    return shelf


@pytest.mark.parametrize(
    ("act", "comment_likes"),
    [
        (like(1), 200_000),
        (of_comment(CommentLiked, 7, 6_000), 200_001),
        (of_comment(CommentUnliked, 8, 8), 199_999),
        (uncommented(9), 199_999),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_act_on_a_photo_with_many_liked_comments_writes_little(crowded, act, comment_likes):
    """Megabytes at each checkpoint would stop the worker for as long as the photo is active."""
    shelf = Shelf(PHOTOS, 5)
    shelf.store.write(crowded.store.rows)
    photo = shelf.load()
    fold_in(PHOTOS, photo, act)

    assert shelf.save(photo) < SMALL_BYTES
    assert comment_likes == row_of(photo).comment_likes
    assert row_of(photo) == row_of(shelf.load())


def test_likes_that_were_taken_back_leave_nothing():
    """Neither in memory nor on disk."""
    shelf, fresh = Shelf(PHOTOS, 5), Shelf(PHOTOS, 5)
    photo, other = PHOTOS.state(), PHOTOS.state()
    for comment_id in range(100):
        fold_in(PHOTOS, photo, of_comment(CommentLiked, comment_id, 3))
        fold_in(PHOTOS, photo, of_comment(CommentUnliked, comment_id, 3))
    fold_in(PHOTOS, other, of_comment(CommentUnliked, 1, 3))

    assert fresh.save(other) == shelf.save(photo)


def test_one_message_more_to_a_large_group_writes_little():
    """A thousand messages are few, with a thousand recipients each they are not."""
    shelf, conversation = Shelf(CONVERSATIONS, 3), CONVERSATIONS.state()
    people = list(range(1_000_000, 1_001_000))

    def message(number):
        return MessageSent(
            message_id=number, conversation_id=3, sender_id=7, recipient_ids=people, text=""
        )

    fold_in(CONVERSATIONS, conversation, *map(message, range(200)))
    shelf.save(conversation)
    conversation = shelf.load()
    fold_in(CONVERSATIONS, conversation, message(200))

    written = shelf.save(conversation)

    assert written < 64_000
    assert shelf.load().messages == conversation.messages
