"""Types of the area `counters`, generated from `avro/counters/*.avsc`.

Change those files, then run `streams schemas generate`; `streams schemas check` refuses an
edit made here.
"""

from enum import StrEnum
from typing import ClassVar

from streams.events.message import UNSTAMPED, Event, Result


class ActorKind(StrEnum):
    """What a fact counts for its user."""

    REGISTERED = "REGISTERED"
    LIKE = "LIKE"
    COMMENT = "COMMENT"
    FRIEND = "FRIEND"
    FOLLOWER = "FOLLOWER"
    FOLLOWING = "FOLLOWING"
    MESSAGE_SENT = "MESSAGE_SENT"
    MESSAGE_RECEIVED = "MESSAGE_RECEIVED"


class ActorCounted(Event, frozen=True, gc=False):
    """One act that changes a count of a user.

    - user_id: Whose count changes.
    - kind: Which count changes.
    - delta: By how much; negative when the act was taken back, 0 = only registered.
    """

    avro_name: ClassVar[str] = "counters.ActorCounted"

    user_id: int
    kind: ActorKind
    delta: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class ConversationCounters(Result, frozen=True, gc=False):
    """Counters of one conversation.

    - conversation_id: The conversation.
    - messages: Live messages.
    - participants: Distinct users who sent or received a live message.
    """

    avro_name: ClassVar[str] = "counters.ConversationCounters"

    conversation_id: int
    messages: int
    participants: int


class PhotoContribution(Result, frozen=True, gc=False):
    """What one photo adds to the counts of its owner, as it is now.

    - user_id: The photo's owner.
    - photo_id: The photo.
    - photos: 1 while the photo is posted and live, else 0.
    - likes: Likes of the photo while it is live.
    - comments: Live comments on the photo while it is live.
    """

    avro_name: ClassVar[str] = "counters.PhotoContribution"

    user_id: int
    photo_id: int
    photos: int
    likes: int
    comments: int


class PhotoCounters(Result, frozen=True, gc=False):
    """Counters of one photo.

    - photo_id: The photo.
    - owner_id: Who posted it; before that, the owner first seen.
    - likes: Users whose last act is a like.
    - comments: Live comments, replies included.
    - comment_likes: Pairs of a user and a live comment that the user likes.
    - shares: Distinct shares.
    - deleted: Whether the photo was deleted; then every count is 0.
    """

    avro_name: ClassVar[str] = "counters.PhotoCounters"

    photo_id: int
    owner_id: int
    likes: int
    comments: int
    comment_likes: int
    shares: int
    deleted: bool


class UserCounters(Result, frozen=True, gc=False):
    """Counters of one user.

    - user_id: The user.
    - photos: Photos posted and live.
    - likes_received: Likes of live photos of the user, own likes included.
    - comments_received: Live comments on live photos of the user, own comments
      included.
    - likes_given: Photos the user likes, deleted ones included.
    - comments_given: Comments written and not deleted.
    - friends: Friends.
    - followers: Users who follow the user.
    - following: Users whom the user follows.
    - messages_sent: Live messages sent.
    - messages_received: Live messages received.
    """

    avro_name: ClassVar[str] = "counters.UserCounters"

    user_id: int
    photos: int
    likes_received: int
    comments_received: int
    likes_given: int
    comments_given: int
    friends: int
    followers: int
    following: int
    messages_sent: int
    messages_received: int
