"""Types of the area `social`, generated from `avro/social/*.avsc`.

Change those files, then run `streams schemas generate`; `streams schemas check` refuses an
edit made here.
"""

from typing import ClassVar

from msgspec import field

from streams.events.message import UNSTAMPED, Event


class CommentDeleted(Event, frozen=True, gc=False):
    """A comment was deleted; its id stays closed for ever.

    - comment_id: The comment.
    - photo_id: The photo.
    - owner_id: Who posted the photo.
    - author_id: Who wrote the comment.
    """

    avro_name: ClassVar[str] = "social.CommentDeleted"

    comment_id: int
    photo_id: int
    owner_id: int
    author_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class CommentLiked(Event, frozen=True, gc=False):
    """A user liked a comment; liking it again changes nothing.

    - user_id: Who acts.
    - comment_id: The comment.
    - photo_id: The photo.
    - owner_id: Who posted the photo.
    - author_id: Who wrote the comment.
    """

    avro_name: ClassVar[str] = "social.CommentLiked"

    user_id: int
    comment_id: int
    photo_id: int
    owner_id: int
    author_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class CommentPosted(Event, frozen=True, gc=False):
    """A user commented on a photo, or replied to a comment.

    - comment_id: The comment.
    - photo_id: The photo.
    - owner_id: Who posted the photo.
    - author_id: Who wrote the comment.
    - parent_comment_id: The comment it replies to; null = the photo itself.
    - text: What was written.
    - mentions: Users named in the text.
    """

    avro_name: ClassVar[str] = "social.CommentPosted"

    comment_id: int
    photo_id: int
    owner_id: int
    author_id: int
    parent_comment_id: int | None = None
    text: str = ""
    mentions: list[int] = field(default_factory=list)
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class CommentUnliked(Event, frozen=True, gc=False):
    """A user took back the like of a comment.

    - user_id: Who acts.
    - comment_id: The comment.
    - photo_id: The photo.
    - owner_id: Who posted the photo.
    - author_id: Who wrote the comment.
    """

    avro_name: ClassVar[str] = "social.CommentUnliked"

    user_id: int
    comment_id: int
    photo_id: int
    owner_id: int
    author_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class FriendAccepted(Event, frozen=True, gc=False):
    """A request was accepted; the two are friends.

    - requester_id: Who opened the request.
    - addressee_id: Who was asked.
    """

    avro_name: ClassVar[str] = "social.FriendAccepted"

    requester_id: int
    addressee_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class FriendDeclined(Event, frozen=True, gc=False):
    """A request was turned down.

    - requester_id: Who opened the request.
    - addressee_id: Who was asked.
    """

    avro_name: ClassVar[str] = "social.FriendDeclined"

    requester_id: int
    addressee_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class FriendRemoved(Event, frozen=True, gc=False):
    """A user ended a friendship.

    - user_id: Who ended it.
    - friend_id: The friend of before.
    """

    avro_name: ClassVar[str] = "social.FriendRemoved"

    user_id: int
    friend_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class FriendRequestCancelled(Event, frozen=True, gc=False):
    """A request was taken back by the user who opened it.

    - requester_id: Who opened the request.
    - addressee_id: Who was asked.
    """

    avro_name: ClassVar[str] = "social.FriendRequestCancelled"

    requester_id: int
    addressee_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class FriendRequested(Event, frozen=True, gc=False):
    """A user asked another to be friends.

    - requester_id: Who opened the request.
    - addressee_id: Who was asked.
    """

    avro_name: ClassVar[str] = "social.FriendRequested"

    requester_id: int
    addressee_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class ItemRated(Event, frozen=True, gc=False):
    """A user rated an item; a later rating replaces it.

    - user_id: Who rated.
    - item_id: The item.
    - value: The rating, on the scale of the program that emitted it.
    """

    avro_name: ClassVar[str] = "social.ItemRated"

    user_id: int
    item_id: int
    value: float
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class MessageDeleted(Event, frozen=True, gc=False):
    """A message was deleted; its id stays closed for ever.

    - message_id: The message.
    - conversation_id: The conversation.
    - sender_id: Who wrote the message.
    - recipient_ids: Who receives it; the sender is not counted, a repeated id counts
      once.
    """

    avro_name: ClassVar[str] = "social.MessageDeleted"

    message_id: int
    conversation_id: int
    sender_id: int
    recipient_ids: list[int] = field(default_factory=list)
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class MessageRead(Event, frozen=True, gc=False):
    """A user read a conversation up to a message.

    - conversation_id: The conversation.
    - user_id: Who read it.
    - read_up_to: Id of the newest message that was read.
    """

    avro_name: ClassVar[str] = "social.MessageRead"

    conversation_id: int
    user_id: int
    read_up_to: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class MessageSent(Event, frozen=True, gc=False):
    """A user sent a message into a conversation.

    - message_id: The message.
    - conversation_id: The conversation.
    - sender_id: Who wrote the message.
    - recipient_ids: Who receives it; the sender is not counted, a repeated id counts
      once.
    - text: What was written.
    """

    avro_name: ClassVar[str] = "social.MessageSent"

    message_id: int
    conversation_id: int
    sender_id: int
    recipient_ids: list[int] = field(default_factory=list)
    text: str = ""
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class PhotoDeleted(Event, frozen=True, gc=False):
    """A photo was deleted; its id stays closed for ever.

    - photo_id: The photo.
    - owner_id: Who posted the photo.
    """

    avro_name: ClassVar[str] = "social.PhotoDeleted"

    photo_id: int
    owner_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class PhotoLiked(Event, frozen=True, gc=False):
    """A user liked a photo; liking it again changes nothing.

    - user_id: Who likes the photo.
    - photo_id: The photo.
    - owner_id: Who posted the photo.
    """

    avro_name: ClassVar[str] = "social.PhotoLiked"

    user_id: int
    photo_id: int
    owner_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class PhotoPosted(Event, frozen=True, gc=False):
    """A user posted a photo.

    - photo_id: The photo.
    - owner_id: Who posted the photo.
    - caption: Text under the photo.
    - tags: Tags without the leading sign.
    - mentions: Users named in the caption.
    - media_url: Where the picture lies; null = not known.
    """

    avro_name: ClassVar[str] = "social.PhotoPosted"

    photo_id: int
    owner_id: int
    caption: str = ""
    tags: list[str] = field(default_factory=list)
    mentions: list[int] = field(default_factory=list)
    media_url: str | None = None
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class PhotoShared(Event, frozen=True, gc=False):
    """A user shared a photo.

    - share_id: The share; delivered twice it counts once.
    - photo_id: The photo.
    - owner_id: Who posted the photo.
    - user_id: Who shared the photo.
    """

    avro_name: ClassVar[str] = "social.PhotoShared"

    share_id: int
    photo_id: int
    owner_id: int
    user_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class PhotoUnliked(Event, frozen=True, gc=False):
    """A user took back the like of a photo.

    - user_id: Who took the like back.
    - photo_id: The photo.
    - owner_id: Who posted the photo.
    """

    avro_name: ClassVar[str] = "social.PhotoUnliked"

    user_id: int
    photo_id: int
    owner_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class PhotoViewed(Event, frozen=True, gc=False):
    """Somebody looked at a photo.

    - photo_id: The photo.
    - owner_id: Who posted the photo.
    - viewer_id: The user who looked; null = not signed in.
    - anonymous_id: The visitor who is not signed in; null = a user.
    - dwell_ms: How long the photo was in view, milliseconds; 0 = not measured.
    - surface: Where it was shown, such as feed or profile.
    """

    avro_name: ClassVar[str] = "social.PhotoViewed"

    photo_id: int
    owner_id: int
    viewer_id: int | None = None
    anonymous_id: int | None = None
    dwell_ms: int = 0
    surface: str = ""
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class RatingRemoved(Event, frozen=True, gc=False):
    """A user took back the rating of an item.

    - user_id: Who had rated.
    - item_id: The item.
    """

    avro_name: ClassVar[str] = "social.RatingRemoved"

    user_id: int
    item_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class SuggestionDismissed(Event, frozen=True, gc=False):
    """A user does not want to see a suggested friend again.

    - user_id: Who dismissed the suggestion.
    - candidate_id: The suggested user.
    """

    avro_name: ClassVar[str] = "social.SuggestionDismissed"

    user_id: int
    candidate_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class SuggestionShown(Event, frozen=True, gc=False):
    """A suggested friend was shown to a user.

    - user_id: Who saw the suggestion.
    - candidate_id: The suggested user.
    - score: Score that the suggestion was ranked by.
    - position: Place in the list, 0 = first.
    """

    avro_name: ClassVar[str] = "social.SuggestionShown"

    user_id: int
    candidate_id: int
    score: float = 0.0
    position: int = 0
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserBlocked(Event, frozen=True, gc=False):
    """A user blocked another: friendship, request and follows between them end.

    - user_id: Who acts.
    - target_id: Whom it is about.
    """

    avro_name: ClassVar[str] = "social.UserBlocked"

    user_id: int
    target_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserDeleted(Event, frozen=True, gc=False):
    """A user left for good.

    - user_id: The user.
    """

    avro_name: ClassVar[str] = "social.UserDeleted"

    user_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserFollowed(Event, frozen=True, gc=False):
    """A user began to follow another.

    - follower_id: Who follows.
    - followee_id: Who is followed.
    """

    avro_name: ClassVar[str] = "social.UserFollowed"

    follower_id: int
    followee_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserMuted(Event, frozen=True, gc=False):
    """A user muted another.

    - user_id: Who acts.
    - target_id: Whom it is about.
    """

    avro_name: ClassVar[str] = "social.UserMuted"

    user_id: int
    target_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserRegistered(Event, frozen=True, gc=False):
    """A user joined.

    - user_id: The user.
    - handle: Unique short name; null = not given.
    - display_name: Name shown to others; null = not given.
    - locale: Language and region as a BCP 47 tag; null = not given.
    - time_zone: Zone of the IANA database, such as Europe/Berlin; null = not given.
    """

    avro_name: ClassVar[str] = "social.UserRegistered"

    user_id: int
    handle: str | None = None
    display_name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserUnblocked(Event, frozen=True, gc=False):
    """A user lifted a block; nothing it ended comes back.

    - user_id: Who acts.
    - target_id: Whom it is about.
    """

    avro_name: ClassVar[str] = "social.UserUnblocked"

    user_id: int
    target_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserUnfollowed(Event, frozen=True, gc=False):
    """A user stopped following another.

    - follower_id: Who follows.
    - followee_id: Who is followed.
    """

    avro_name: ClassVar[str] = "social.UserUnfollowed"

    follower_id: int
    followee_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserUnmuted(Event, frozen=True, gc=False):
    """A user lifted a mute.

    - user_id: Who acts.
    - target_id: Whom it is about.
    """

    avro_name: ClassVar[str] = "social.UserUnmuted"

    user_id: int
    target_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class UserUpdated(Event, frozen=True, gc=False):
    """A user changed the profile.

    - user_id: The user.
    - handle: Unique short name; null = unchanged.
    - display_name: Name shown to others; null = unchanged.
    - locale: Language and region as a BCP 47 tag; null = unchanged.
    - time_zone: Zone of the IANA database, such as Europe/Berlin; null = unchanged.
    """

    avro_name: ClassVar[str] = "social.UserUpdated"

    user_id: int
    handle: str | None = None
    display_name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0
