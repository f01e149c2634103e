"""The job: exactly-once count of the distinct users who like each photo."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import msgspec

from schemas.demo import LikesCounted
from schemas.social import PhotoLiked, PhotoUnliked
from streams import Fold, Members, Service

SEED = 1
PHOTOS = 5_000
USERS = 100_000
UNLIKED = 0.1


class Fans(msgspec.Struct):
    """Who likes one photo."""

    users: Members = msgspec.field(default_factory=Members)


LIKES = Fold("likes", reads="social.photos", key="photo_id", state=Fans)


@LIKES.on(PhotoLiked)
def liked(fans: Fans, event: PhotoLiked) -> None:
    fans.users.add(event.user_id)


@LIKES.on(PhotoUnliked)
def unliked(fans: Fans, event: PhotoUnliked) -> None:
    fans.users.discard(event.user_id)


@LIKES.result(into="demo.counts")
def count(photo_id: int, fans: Fans) -> LikesCounted:
    return LikesCounted(photo_id=photo_id, likes=len(fans.users))


SERVICE = Service("members", folds=[LIKES])


def events(count: int) -> Iterator[PhotoLiked | PhotoUnliked]:
    """Likes with a tenth of unlikes, on Zipf-like photos: one gets two fifths of all."""
    chance = random.Random(SEED)
    for at in range(count):
        photo_id = int(chance.paretovariate(1.1)) % PHOTOS
        kind = PhotoUnliked if chance.random() < UNLIKED else PhotoLiked
        yield kind(
            user_id=chance.randrange(USERS),
            photo_id=photo_id,
            owner_id=photo_id % 1_000,
            event_id=os.urandom(16),
            occurred_at=1_700_000_000_000_000 + at,
        )


def expected(count: int) -> dict[int, int]:
    """Distinct users a photo, counted with plain sets."""
    fans: dict[int, set[int]] = {}
    for event in events(count):
        users = fans.setdefault(event.photo_id, set())
        (users.add if isinstance(event, PhotoLiked) else users.discard)(event.user_id)
    return {photo_id: len(users) for photo_id, users in fans.items()}
