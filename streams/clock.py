"""The only module that reads time: wall clock for stamps, monotonic clock for waits."""

from __future__ import annotations

import time
from dataclasses import dataclass


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


def monotonic_s() -> float:
    """Seconds on a clock that never goes back; only differences mean anything."""
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time that several steps share; pass it down instead of fresh time-outs."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline `seconds` from now."""
        return cls(monotonic_s() + seconds)

    @property
    def left_s(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at_s - monotonic_s())

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return monotonic_s() >= self.at_s
