"""What a program that emits asks of a client: type against it, and test with a RecordingClient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from streams.events.message import Event
from streams.sdk.receipt import Receipt


class Emitter(Protocol):
    """What a program asks of its client: emit, flush, close.

    `EventClient` does it on Kafka, `RecordingClient` in unit tests.
    """

    def emit(
        self, event: Event, *, cause: Event | bytes | None = None, traceparent: str | None = None
    ) -> Receipt:
        """Send one event; returns at once, before it is sent."""

    def emit_many(
        self,
        events: Iterable[Event],
        *,
        cause: Event | bytes | None = None,
        traceparent: str | None = None,
    ) -> list[Receipt]:
        """Send events in order; nothing is sent if any of them does not fit its schema."""

    def flush(self, timeout_s: float | None = None) -> None:
        """Return when everything emitted is acknowledged."""

    def close(self) -> None:
        """Flush and let go; emits are refused from then on."""
