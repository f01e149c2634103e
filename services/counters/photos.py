"""Counters of a photo: who likes it, its live comments and their likes, its shares.

A deletion closes an id for ever; nothing has to exist first. Acts are kept, not counted: the last
act of a user decides, so a like delivered twice counts once.
"""

from __future__ import annotations

import msgspec

from schemas.counters import ActorCounted, ActorKind, PhotoContribution, PhotoCounters
from schemas.social import (
    CommentDeleted,
    CommentLiked,
    CommentPosted,
    CommentUnliked,
    PhotoDeleted,
    PhotoLiked,
    PhotoPosted,
    PhotoShared,
    PhotoUnliked,
)
from streams.fold.context import Context
from streams.fold.declaration import Fold
from streams.state.entries import Entries
from streams.state.member_sets import MemberSets
from streams.state.members import Members


class Photo(msgspec.Struct):
    """One photo. `owner_id` None: no event yet; `past_owners` had it before PhotoPosted."""

    owner_id: int | None = None
    past_owners: list[int] = []
    is_posted: bool = False
    is_deleted: bool = False
    fans: Members = msgspec.field(default_factory=Members)
    comments: Entries[int, int] = msgspec.field(default_factory=Entries)  # live id -> author
    closed_comments: Members = msgspec.field(default_factory=Members)
    comment_fans: MemberSets = msgspec.field(default_factory=MemberSets)
    shares: Members = msgspec.field(default_factory=Members)

    def seen(self, owner_id: int) -> bool:
        """Whether the photo is open; the first event names its owner."""
        if self.owner_id is None:
            self.owner_id = owner_id
        return not self.is_deleted


PHOTOS = Fold("photos", reads="social.photos", key="photo_id", state=Photo, emits=[ActorCounted])


@PHOTOS.on(PhotoPosted)
def posted(photo: Photo, event: PhotoPosted) -> None:
    """The first post decides the owner."""
    if not photo.seen(event.owner_id) or photo.is_posted:
        return
    photo.is_posted = True
    if photo.owner_id is not None and photo.owner_id != event.owner_id:
        photo.past_owners = [photo.owner_id]
        photo.owner_id = event.owner_id


@PHOTOS.on(PhotoDeleted)
def deleted(photo: Photo, event: PhotoDeleted) -> None:
    """Everything on the photo goes, and nothing comes after."""
    photo.seen(event.owner_id)
    photo.is_deleted = True
    photo.fans = Members()
    photo.comments = Entries()
    photo.closed_comments = Members()
    photo.comment_fans = MemberSets()
    photo.shares = Members()


@PHOTOS.on(PhotoLiked)
def liked(photo: Photo, event: PhotoLiked, ctx: Context) -> None:
    """A user's first like counts."""
    if photo.seen(event.owner_id) and event.user_id not in photo.fans:
        photo.fans.add(event.user_id)
        ctx.emit(ActorCounted(user_id=event.user_id, kind=ActorKind.LIKE, delta=1))


@PHOTOS.on(PhotoUnliked)
def unliked(photo: Photo, event: PhotoUnliked, ctx: Context) -> None:
    """Only what was liked can be taken back."""
    if photo.seen(event.owner_id) and event.user_id in photo.fans:
        photo.fans.discard(event.user_id)
        ctx.emit(ActorCounted(user_id=event.user_id, kind=ActorKind.LIKE, delta=-1))


@PHOTOS.on(CommentPosted)
def commented(photo: Photo, event: CommentPosted, ctx: Context) -> None:
    """A comment id counts once, unless it was deleted before."""
    comment_id = event.comment_id
    if not photo.seen(event.owner_id):
        return
    if comment_id not in photo.comments and comment_id not in photo.closed_comments:
        photo.comments[comment_id] = event.author_id
        ctx.emit(ActorCounted(user_id=event.author_id, kind=ActorKind.COMMENT, delta=1))


@PHOTOS.on(CommentDeleted)
def uncommented(photo: Photo, event: CommentDeleted, ctx: Context) -> None:
    """The comment and its likes go; its author is the one who posted it."""
    if not photo.seen(event.owner_id):
        return
    photo.closed_comments.add(event.comment_id)
    photo.comment_fans.drop(event.comment_id)
    author_id = photo.comments.pop(event.comment_id, None)
    if author_id is not None:
        ctx.emit(ActorCounted(user_id=author_id, kind=ActorKind.COMMENT, delta=-1))


@PHOTOS.on(CommentLiked)
def comment_liked(photo: Photo, event: CommentLiked) -> None:
    """A like of a comment that was not deleted."""
    if photo.seen(event.owner_id) and event.comment_id not in photo.closed_comments:
        photo.comment_fans.add(event.comment_id, event.user_id)


@PHOTOS.on(CommentUnliked)
def comment_unliked(photo: Photo, event: CommentUnliked) -> None:
    """Only what was liked can be taken back."""
    if photo.seen(event.owner_id):
        photo.comment_fans.discard(event.comment_id, event.user_id)


@PHOTOS.on(PhotoShared)
def shared(photo: Photo, event: PhotoShared) -> None:
    """A share id counts once."""
    if photo.seen(event.owner_id):
        photo.shares.add(event.share_id)


@PHOTOS.result(into="counters.photos")
def counters(photo_id: int, photo: Photo) -> PhotoCounters:
    """The photo's row; it stays after the deletion, with zeros."""
    return PhotoCounters(
        photo_id=photo_id,
        owner_id=photo.owner_id or 0,
        likes=len(photo.fans),
        comments=len(photo.comments),
        comment_likes=len(photo.comment_fans),
        shares=len(photo.shares),
        deleted=photo.is_deleted,
    )


@PHOTOS.result(into="counters.contributions", key="user_id")
def contributions(photo_id: int, photo: Photo) -> list[PhotoContribution]:
    """What the photo adds to its owner's counts, and an explicit zero for who owned it before."""
    return [
        PhotoContribution(
            user_id=photo.owner_id or 0,
            photo_id=photo_id,
            photos=int(photo.is_posted and not photo.is_deleted),
            likes=len(photo.fans),
            comments=len(photo.comments),
        ),
        *(
            PhotoContribution(user_id=owner, photo_id=photo_id, photos=0, likes=0, comments=0)
            for owner in photo.past_owners
        ),
    ]
