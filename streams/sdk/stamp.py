"""The stamp that makes an event one of a kind: an id, and the time it happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from streams.clock import now_us
from streams.events.ids import EventIds
from streams.events.message import UNSTAMPED


class Stamp:
    """Gives events what they lack, by the clock of this program. Safe from any thread."""

    def __init__(self, clock_us: Callable[[], int] = now_us) -> None:
        self._clock_us = clock_us
        self._draw = EventIds().draw

    def __call__(self, event: Any, at_us: int = 0) -> Any:
        """The event with `event_id` and `occurred_at`; itself if it has both.

        What lacks a time is given `at_us`; 0 = that of this moment.
        """
        if event.event_id == UNSTAMPED:
            at_us = at_us or self._clock_us()
            event_id = self._draw(at_us)
            return replace(event, event_id=event_id, occurred_at=event.occurred_at or at_us)
        if event.occurred_at == 0:
            return replace(event, occurred_at=at_us or self._clock_us())
        return event
