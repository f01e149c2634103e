"""What a handler may ask beside its state and its event."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from streams.events.message import Event


class Position(NamedTuple):
    """Where the event in hand stands in the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Context(Protocol):
    """The third argument of a handler; valid only during the call."""

    @property
    def position(self) -> Position:
        """Where the event in hand stands in the log."""

    def emit(self, event: Event) -> None:
        """Append a fact, once, in the transaction that commits the event in hand.

        Its id and time are derived from the event in hand. Raises ConfigurationError for a type
        that the fold does not list in `emits`, SchemaMismatch for a value that does not fit.
        """
