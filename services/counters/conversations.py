"""Live messages of a conversation and who takes part in them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from schemas.counters import ActorCounted, ActorKind, ConversationCounters
from schemas.social import MessageDeleted, MessageSent
from streams.fold.context import Context
from streams.fold.declaration import Fold
from streams.state.entries import Entries
from streams.state.members import Members

People = tuple[int, ...]
"""The sender, then each other recipient once."""


class Conversation(msgspec.Struct):
    """One conversation. `messages` are live ids with their people, `parts` messages a person."""

    messages: Entries[int, People] = msgspec.field(default_factory=Entries)
    closed: Members = msgspec.field(default_factory=Members)
    parts: Entries[int, int] = msgspec.field(default_factory=Entries)


CONVERSATIONS = Fold(
    "conversations",
    reads="social.messages",
    key="conversation_id",
    state=Conversation,
    emits=[ActorCounted],
)


def _facts(people: People, delta: int) -> Iterator[ActorCounted]:
    sender, *recipients = people
    yield ActorCounted(user_id=sender, kind=ActorKind.MESSAGE_SENT, delta=delta)
    for user_id in recipients:
        yield ActorCounted(user_id=user_id, kind=ActorKind.MESSAGE_RECEIVED, delta=delta)


@CONVERSATIONS.on(MessageSent)
def sent(conversation: Conversation, event: MessageSent, ctx: Context) -> None:
    """A message id counts once; the sender is not a recipient, a repeated one counts once."""
    message_id = event.message_id
    if message_id in conversation.messages or message_id in conversation.closed:
        return
    people = tuple(dict.fromkeys((event.sender_id, *event.recipient_ids)))
    conversation.messages[message_id] = people
    for user_id in people:
        conversation.parts[user_id] = conversation.parts.get(user_id, 0) + 1
    for fact in _facts(people, 1):
        ctx.emit(fact)


@CONVERSATIONS.on(MessageDeleted)
def deleted(conversation: Conversation, event: MessageDeleted, ctx: Context) -> None:
    """Closes the id; its people are those of the message that was sent."""
    conversation.closed.add(event.message_id)
    people = conversation.messages.pop(event.message_id, ())
    if not people:
        return
    for user_id in people:
        left = conversation.parts[user_id] - 1
        if left:
            conversation.parts[user_id] = left
        else:
            del conversation.parts[user_id]
    for fact in _facts(people, -1):
        ctx.emit(fact)


@CONVERSATIONS.result(into="counters.conversations")
def counters(conversation_id: int, conversation: Conversation) -> ConversationCounters:
    """The conversation's row."""
    return ConversationCounters(
        conversation_id=conversation_id,
        messages=len(conversation.messages),
        participants=len(conversation.parts),
    )
