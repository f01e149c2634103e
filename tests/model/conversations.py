"""One conversation as a batch reader sees it: the messages that still stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Sent(NamedTuple):
    """Who wrote a message and who received it, as its first `MessageSent` says."""

    sender: int
    recipients: frozenset[int]


@dataclass(slots=True)
class Conversation:
    """Everything `social.messages` said about one conversation, in log order."""

    messages: dict[int, Sent] = field(default_factory=dict)  # live ones
    closed: set[int] = field(default_factory=set)
    counted: set[int] = field(default_factory=set)  # who ever had a count of it

    def see(self, kind: str, event: Any) -> None:
        """Apply one event."""
        if kind == "MessageDeleted":
            self.closed.add(event.message_id)
            self.messages.pop(event.message_id, None)
        elif event.message_id not in self.closed and event.message_id not in self.messages:
            recipients = frozenset(event.recipient_ids) - {event.sender_id}
            self.messages[event.message_id] = Sent(event.sender_id, recipients)
            self.counted |= recipients | {event.sender_id}

    def row(self, conversation_id: int) -> dict[str, Any]:
        participants: set[int] = set()
        for sent in self.messages.values():
            participants |= sent.recipients | {sent.sender}
        return {
            "conversation_id": conversation_id,
            "messages": len(self.messages),
            "participants": len(participants),
        }


MESSAGE_ACTS = frozenset({"MessageSent", "MessageDeleted"})
"""Types that make a conversation's row; `MessageRead` makes none."""
