"""One photo as a batch reader sees it: sets of acts that still stand, and who ever changed one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Photo:
    """Everything `social.photos` said about one photo, in log order."""

    first_seen_owner: int
    posted_by: int | None = None
    is_deleted: bool = False
    fans: set[int] = field(default_factory=set)
    comments: dict[int, int] = field(default_factory=dict)  # live comment -> author
    closed_comments: set[int] = field(default_factory=set)
    comment_fans: set[tuple[int, int]] = field(default_factory=set)  # (comment, user)
    shares: set[int] = field(default_factory=set)
    actors: set[int] = field(default_factory=set)  # whose given counts ever changed

    @property
    def owner(self) -> int:
        return self.first_seen_owner if self.posted_by is None else self.posted_by

    @property
    def owners(self) -> set[int]:
        """Everybody who ever had a contribution of this photo."""
        return {self.first_seen_owner, self.owner}

    @property
    def is_posted(self) -> bool:
        return self.posted_by is not None

    def see(self, kind: str, event: Any) -> None:
        """Apply one event; after the photo's deletion nothing applies any more."""
        if not self.is_deleted:
            _ACTS[kind](self, event)

    def row(self, photo_id: int) -> dict[str, Any]:
        live = not self.is_deleted
        return {
            "photo_id": photo_id,
            "owner_id": self.owner,
            "likes": len(self.fans) if live else 0,
            "comments": len(self.comments) if live else 0,
            "comment_likes": len(self.comment_fans) if live else 0,
            "shares": len(self.shares) if live else 0,
            "deleted": self.is_deleted,
        }


def _posted(photo: Photo, event: Any) -> None:
    if photo.posted_by is None:
        photo.posted_by = event.owner_id


def _deleted(photo: Photo, _event: Any) -> None:
    photo.is_deleted = True


def _liked(photo: Photo, event: Any) -> None:
    photo.fans.add(event.user_id)
    photo.actors.add(event.user_id)


def _unliked(photo: Photo, event: Any) -> None:
    photo.fans.discard(event.user_id)


def _shared(photo: Photo, event: Any) -> None:
    photo.shares.add(event.share_id)


def _commented(photo: Photo, event: Any) -> None:
    if event.comment_id in photo.closed_comments or event.comment_id in photo.comments:
        return
    photo.comments[event.comment_id] = event.author_id
    photo.actors.add(event.author_id)


def _comment_deleted(photo: Photo, event: Any) -> None:
    photo.closed_comments.add(event.comment_id)
    photo.comments.pop(event.comment_id, None)
    photo.comment_fans = {pair for pair in photo.comment_fans if pair[0] != event.comment_id}


def _comment_liked(photo: Photo, event: Any) -> None:
    if event.comment_id not in photo.closed_comments:
        photo.comment_fans.add((event.comment_id, event.user_id))


def _comment_unliked(photo: Photo, event: Any) -> None:
    photo.comment_fans.discard((event.comment_id, event.user_id))


_ACTS = {
    "PhotoPosted": _posted,
    "PhotoDeleted": _deleted,
    "PhotoLiked": _liked,
    "PhotoUnliked": _unliked,
    "PhotoShared": _shared,
    "CommentPosted": _commented,
    "CommentDeleted": _comment_deleted,
    "CommentLiked": _comment_liked,
    "CommentUnliked": _comment_unliked,
}

PHOTO_ACTS = frozenset(_ACTS)
"""Types that make a photo's row."""
