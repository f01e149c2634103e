"""How many events should be out by now, and how fast something goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from streams.clock import monotonic_s

_WINDOW_S: Final = 3.0
"""A rate is that of the last seconds, so that a stall shows and a batch does not jump."""

Clock = Callable[[], float]


class Pace:
    """Spreads `total` events evenly over `seconds`, from the moment it is made."""

    def __init__(self, total: int, seconds: float, clock: Clock = monotonic_s) -> None:
        self._total = total
        self._seconds = seconds
        self._clock = clock
        self._start_s = clock()

    def due(self) -> int:
        """How many should be out; all of them only when the time is over."""
        elapsed_s = self._clock() - self._start_s
        return min(self._total, int(self._total * elapsed_s / self._seconds))


class Rate:
    """Events a second of a growing count."""

    def __init__(self, clock: Clock = monotonic_s) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._began = self._grew = (clock(), 0)  # before the count first grew; when it last did

    @property
    def began_s(self) -> float:
        """When the count was last seen before it first grew."""
        return self._began[0]

    def average(self, since_s: float) -> float:
        """The rate from a moment until the count last grew."""
        grew_s, last = self._grew
        return (last - self._began[1]) / (grew_s - since_s) if grew_s > since_s else 0.0

    def of(self, count: int) -> float:
        """The rate of the last seconds, now that `count` is reached."""
        now_s = self._clock()
        self._seen.append((now_s, count))
        if count > self._grew[1]:
            self._grew = (now_s, count)
        elif count == self._began[1]:
            self._began = self._grew = (now_s, count)
        while now_s - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        then_s, before = self._seen[0]
        return (count - before) / (now_s - then_s) if now_s > then_s else 0.0
