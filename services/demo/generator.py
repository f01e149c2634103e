"""Social traffic of a small network, the same for the same seed.

Everybody signs up and posts first; then come likes (of a few photos most of all, as Zipf's law has
it), likes taken back, likes sent twice, comments, deletions, friendships, follows and messages.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from typing import Final, TypeVar

from schemas import social
from streams.events.message import Event

USERS: Final = 3_000
PHOTOS: Final = 2_000
CONVERSATIONS: Final = 1_500

ZIPF_EXPONENT: Final = 1.0
"""The photo of rank r is picked 1 / r ** exponent times as often as the first."""

T = TypeVar("T")


def social_events(seed: int, n: int) -> Iterator[Event]:
    """The first `n` events of a network; at least USERS + PHOTOS before the first like."""
    return islice(_Network(random.Random(seed)).live(), n)  # noqa: S311 not a secret


class _Network:
    """What has happened so far, as far as later acts take it up."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._owners = {photo: rng.randint(1, USERS) for photo in range(1, PHOTOS + 1)}
        self._ranked = rng.sample(range(1, PHOTOS + 1), PHOTOS)
        self._popularity = list(accumulate(1 / r**ZIPF_EXPONENT for r in range(1, PHOTOS + 1)))
        self._members = [
            rng.sample(range(1, USERS + 1), rng.randint(2, 5)) for _ in range(CONVERSATIONS)
        ]
        self._last_id = 0
        self._likes: list[social.PhotoLiked] = []
        self._comments: list[social.CommentPosted] = []
        self._requests: list[social.FriendRequested] = []
        self._friends: list[social.FriendAccepted] = []
        self._follows: list[social.UserFollowed] = []
        self._messages: list[social.MessageSent] = []

    def live(self) -> Iterator[Event]:
        """Events without end."""
        yield from self._beginning()
        acts: dict[Callable[[], Event], float] = {
            self._like: 46, self._like_again: 4, self._unlike: 8, self._share: 2,
            self._comment: 15, self._delete_comment: 3, self._like_comment: 4,
            self._delete_photo: 0.1, self._request: 5, self._accept: 4, self._unfriend: 0.5,
            self._follow: 4, self._unfollow: 0.5, self._send: 3.5, self._delete_message: 0.4,
        }  # fmt: skip
        choices, weights = list(acts), list(accumulate(acts.values()))
        while True:
            yield from (act() for act in self._rng.choices(choices, cum_weights=weights, k=1_000))

    def _beginning(self) -> Iterator[Event]:
        for user in range(1, USERS + 1):
            yield social.UserRegistered(user_id=user, handle=f"user{user}")
        for photo, owner in self._owners.items():
            yield social.PhotoPosted(photo_id=photo, owner_id=owner, caption=f"photo {photo}")

    def _like(self) -> social.PhotoLiked:
        photo = self._popular_photo()
        like = social.PhotoLiked(user_id=self._user(), photo_id=photo, owner_id=self._owners[photo])
        self._likes.append(like)
        return like

    def _like_again(self) -> Event:
        """The same like once more: a finger too fast, or a record delivered twice."""
        return self._rng.choice(self._likes) if self._likes else self._like()

    def _unlike(self) -> Event:
        like = self._taken(self._likes, self._like)
        return social.PhotoUnliked(
            user_id=like.user_id, photo_id=like.photo_id, owner_id=like.owner_id
        )

    def _share(self) -> Event:
        photo = self._popular_photo()
        return social.PhotoShared(
            share_id=self._next_id(),
            photo_id=photo,
            owner_id=self._owners[photo],
            user_id=self._user(),
        )

    def _delete_photo(self) -> Event:
        photo = self._rng.randint(1, PHOTOS)
        return social.PhotoDeleted(photo_id=photo, owner_id=self._owners[photo])

    def _comment(self) -> social.CommentPosted:
        photo = self._popular_photo()
        comment = social.CommentPosted(
            comment_id=self._next_id(),
            photo_id=photo,
            owner_id=self._owners[photo],
            author_id=self._user(),
            text="nice",
        )
        self._comments.append(comment)
        return comment

    def _delete_comment(self) -> Event:
        comment = self._taken(self._comments, self._comment)
        return social.CommentDeleted(
            comment_id=comment.comment_id,
            photo_id=comment.photo_id,
            owner_id=comment.owner_id,
            author_id=comment.author_id,
        )

    def _like_comment(self) -> Event:
        comment = self._rng.choice(self._comments) if self._comments else self._comment()
        return social.CommentLiked(
            user_id=self._user(),
            comment_id=comment.comment_id,
            photo_id=comment.photo_id,
            owner_id=comment.owner_id,
            author_id=comment.author_id,
        )

    def _request(self) -> social.FriendRequested:
        request = social.FriendRequested(requester_id=self._user(), addressee_id=self._user())
        self._requests.append(request)
        return request

    def _accept(self) -> social.FriendAccepted:
        request = self._taken(self._requests, self._request)
        friends = social.FriendAccepted(
            requester_id=request.requester_id, addressee_id=request.addressee_id
        )
        self._friends.append(friends)
        return friends

    def _unfriend(self) -> Event:
        friends = self._taken(self._friends, self._accept)
        return social.FriendRemoved(user_id=friends.addressee_id, friend_id=friends.requester_id)

    def _follow(self) -> social.UserFollowed:
        follow = social.UserFollowed(follower_id=self._user(), followee_id=self._user())
        self._follows.append(follow)
        return follow

    def _unfollow(self) -> Event:
        follow = self._taken(self._follows, self._follow)
        return social.UserUnfollowed(follower_id=follow.follower_id, followee_id=follow.followee_id)

    def _send(self) -> social.MessageSent:
        conversation = self._rng.randint(1, CONVERSATIONS)
        sender, *recipients = self._members[conversation - 1]
        message = social.MessageSent(
            message_id=self._next_id(),
            conversation_id=conversation,
            sender_id=sender,
            recipient_ids=recipients,
            text="hello",
        )
        self._messages.append(message)
        return message

    def _delete_message(self) -> Event:
        message = self._taken(self._messages, self._send)
        return social.MessageDeleted(
            message_id=message.message_id,
            conversation_id=message.conversation_id,
            sender_id=message.sender_id,
            recipient_ids=message.recipient_ids,
        )

    def _user(self) -> int:
        return self._rng.randint(1, USERS)

    def _popular_photo(self) -> int:
        return self._rng.choices(self._ranked, cum_weights=self._popularity)[0]

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _taken(self, acts: list[T], act: Callable[[], T]) -> T:
        """One of the acts, which cannot be taken again; one never emitted when there is none."""
        if not acts:
            act()
        place = self._rng.randrange(len(acts))
        acts[place], acts[-1] = acts[-1], acts[place]
        return acts.pop()
