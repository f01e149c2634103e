"""Time that passes when the simulation says so."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

_LEAST_WAIT_S: Final = 0.25
"""Who waits may be woken late; so that nobody asks a thousand times for what takes seconds."""


class VirtualTime:
    """Implements `streams.clock.Time`. `on_wait` is told before somebody waits.

    The clock begins long after 0, as a computer's does.
    """

    def __init__(self, on_wait: Callable[[], None] = lambda: None) -> None:
        self.now_s = 1_000_000.0
        self._on_wait = on_wait

    def monotonic_s(self) -> float:
        """The time now."""
        return self.now_s

    def wait(self, told: SimpleQueue[None], timeout_s: float) -> None:
        """Let the time-out pass at once, unless something is in the queue."""
        self._on_wait()
        try:
            told.get_nowait()
        except Empty:
            self.now_s += max(timeout_s, _LEAST_WAIT_S)
