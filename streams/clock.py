"""The only module that reads time: wall clock for stamps, monotonic clock for waits."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol


class Time(Protocol):
    """Time that passes when somebody says so."""

    def monotonic_s(self) -> float:
        """The time now."""

    def wait(self, told: SimpleQueue[None], timeout_s: float) -> None:
        """Return after `timeout_s`, or when something is in the queue."""


_simulated: ContextVar[Time | None] = ContextVar("_simulated", default=None)


@contextmanager
def simulated(time: Time) -> Iterator[None]:
    """Waits and deadlines follow `time`, for what runs in this context."""
    token = _simulated.set(time)
    try:
        yield
    finally:
        _simulated.reset(token)


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


def monotonic_s() -> float:
    """Seconds on a clock that never goes back; only differences mean anything."""
    simulated = _simulated.get()
    return time.monotonic() if simulated is None else simulated.monotonic_s()


class Drain:
    """The time that is left once something was told to end: `seconds`; no limit before that.

    Safe from any thread, and from a signal that interrupts one of these methods.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at_s = math.inf
        self._told: SimpleQueue[None] = SimpleQueue()  # an Event's lock would hang a signal handler

    def begin(self) -> None:
        """Tell it to end; only the first call counts."""
        if not self.is_begun:
            self._ends_at_s = monotonic_s() + self.seconds
            self._told.put(None)

    def wait(self, timeout_s: float) -> None:
        """Return after `timeout_s`, or as soon as `begin` was called. For one thread."""
        if self.is_begun:
            return
        simulated = _simulated.get()
        if simulated is not None:
            simulated.wait(self._told, timeout_s)
            return
        try:
            self._told.get(timeout=timeout_s)
        except Empty:
            return

    @property
    def is_begun(self) -> bool:
        """Whether it was told to end."""
        return self._ends_at_s != math.inf

    @property
    def left_s(self) -> float:
        """Seconds left, never below 0; infinite before `begin`."""
        return max(0.0, self._ends_at_s - monotonic_s())


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time that several steps share; pass it down instead of fresh time-outs.

    With a `drain` it comes early when that ends: `left_s` may then shrink at once.
    """

    at_s: float
    drain: Drain | None = None

    @classmethod
    def after(cls, seconds: float, drain: Drain | None = None) -> Deadline:
        """The deadline `seconds` from now."""
        return cls(monotonic_s() + seconds, drain)

    def at_most(self, seconds: float) -> Deadline:
        """The earlier of this one and the one `seconds` from now."""
        return Deadline(min(self.at_s, monotonic_s() + seconds), self.drain)

    def pause(self, seconds: float = math.inf) -> None:
        """Return after `seconds`, or when no time is left, or when its drain begins meanwhile."""
        told = self.drain
        if told is None or told.is_begun:  # which would not wait at all
            told = Drain(0.0)
        told.wait(min(seconds, self.left_s))

    @property
    def left_s(self) -> float:
        """Seconds left, never below 0."""
        left_s = max(0.0, self.at_s - monotonic_s())
        return left_s if self.drain is None else min(left_s, self.drain.left_s)

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left_s <= 0
