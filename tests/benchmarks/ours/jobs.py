"""The services that do the jobs: twenty lines each, as a user would write them."""

from __future__ import annotations

import msgspec

from schemas.demo import LikesCounted
from schemas.social import PhotoLiked, PhotoUnliked
from streams import Fold, Members, Service


class Fans(msgspec.Struct):
    """Who likes one photo."""

    users: Members = msgspec.field(default_factory=Members)


class Seen(msgspec.Struct):
    """How much happened to one photo."""

    events: int = 0


def members(name: str) -> Service:
    """Exactly-once count of the distinct users whose last act on a photo is a like."""
    fold = Fold("likes", reads="social.photos", key="photo_id", state=Fans)

    @fold.on(PhotoLiked)
    def liked(fans: Fans, event: PhotoLiked) -> None:
        fans.users.add(event.user_id)

    @fold.on(PhotoUnliked)
    def unliked(fans: Fans, event: PhotoUnliked) -> None:
        fans.users.discard(event.user_id)

    @fold.result(into="demo.counts")
    def count(photo_id: int, fans: Fans) -> LikesCounted:
        return LikesCounted(photo_id=photo_id, likes=len(fans.users))

    return Service(name, folds=[fold])


def counted(name: str) -> Service:
    """Exactly-once number of events of a photo."""
    fold = Fold("events", reads="social.photos", key="photo_id", state=Seen)

    @fold.on(PhotoLiked)
    @fold.on(PhotoUnliked)
    def seen(seen: Seen, event: PhotoLiked | PhotoUnliked) -> None:
        seen.events += 1

    @fold.result(into="demo.counts")
    def count(photo_id: int, seen: Seen) -> LikesCounted:
        return LikesCounted(photo_id=photo_id, likes=seen.events)

    return Service(name, folds=[fold])


JOBS = {"members": members, "count": counted, "replay": members}
