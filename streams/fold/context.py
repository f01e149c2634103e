"""What a handler may ask beside its state and its event."""

from __future__ import annotations

from typing import Protocol

from streams.events.message import Event
from streams.ports.records import Position


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
