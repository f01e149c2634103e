"""What is done to which frames.

A rule is made and ended by the test's thread and asked by the proxy's; one lock guards them all.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from tests.faults.proxy.frames import Direction, Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Which frames: those that agree with everything that is given."""

    direction: Direction
    apis: Collection[int] | None = None
    nodes: Collection[int] | None = None
    where: Callable[[Frame], bool] | None = None

    def matches(self, frame: Frame) -> bool:
        return (
            frame.direction is self.direction
            and (self.apis is None or frame.api in self.apis)
            and (self.nodes is None or frame.node in self.nodes)
            and (self.where is None or self.where(frame))
        )


class Treatment(Enum):
    """What becomes of a frame.

    A frame that is held aside, or late by itself, is overtaken by those behind it on its
    connection; otherwise all of its direction wait with it, as behind a lost packet.
    """

    PASS = "passed"
    DROP = "dropped"
    HOLD = "held"
    HOLD_ASIDE = "held aside"
    DELAY = "delayed"
    DELAY_ASIDE = "reordered"
    RESET = "reset"


HELD = frozenset({Treatment.HOLD, Treatment.HOLD_ASIDE})
ASIDE = frozenset({Treatment.HOLD_ASIDE, Treatment.DELAY_ASIDE})


class Rule:
    """One treatment of one pattern, until `end`; what is held goes on its way then, at the latest.

    `most` frames are treated, each with a `chance`; `delay_s` is from and to.
    """

    def __init__(
        self,
        changed: threading.Condition,
        pattern: Pattern,
        treatment: Treatment,
        *,
        delay_s: tuple[float, float] = (0.0, 0.0),
        chance: float = 1.0,
        most: int | None = None,
        randomness: random.Random,
    ) -> None:
        self.treatment = treatment
        self.is_over = False
        self._changed = changed
        self._pattern = pattern
        self._delay_s = delay_s
        self._chance = chance
        self._left = most
        self._random = randomness
        self._seen: list[Frame] = []
        self._openers: list[Callable[[], None]] = []

    @property
    def frames(self) -> list[Frame]:
        """What it treated so far."""
        with self._changed:
            return list(self._seen)

    def wait(self, count: int, timeout_s: float) -> bool:
        """Whether it treated that many frames in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._seen) >= count, timeout_s)

    def release(self) -> int:
        """Let go what is held now, in its order; how many frames that were."""
        with self._changed:
            openers, self._openers = self._openers, []
        for opened in openers:
            opened()
        return len(openers)

    def end(self) -> int:
        """Treat no more frames, and release."""
        with self._changed:
            self.is_over = True
        return self.release()

    def takes(self, frame: Frame) -> bool:
        """Whether this frame is its own from now on; under the lock."""
        if self.is_over or self._left == 0 or not self._pattern.matches(frame):
            return False
        if self._chance < 1.0 and self._random.random() >= self._chance:
            return False
        if self._left is not None:
            self._left -= 1
        self._seen.append(frame)
        return True

    def hold(self, opener: Callable[[], None]) -> None:
        """Remember how a held frame is let go; at once when the rule ended meanwhile."""
        with self._changed:
            if not self.is_over:
                self._openers.append(opener)
                return
        opener()

    @property
    def delay_s(self) -> float:
        """How long the next frame is late."""
        return self._random.uniform(*self._delay_s)


class Rulebook:
    """All rules of a proxy, and what it did."""

    def __init__(self, randomness: random.Random) -> None:
        self.changed = threading.Condition()
        self._random = randomness
        self._rules: list[Rule] = []
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def add(
        self,
        pattern: Pattern,
        treatment: Treatment,
        *,
        delay_s: tuple[float, float] = (0.0, 0.0),
        chance: float = 1.0,
        most: int | None = None,
    ) -> Rule:
        """A new rule, asked before those that exist: a cut goes before a delay."""
        rule = Rule(
            self.changed,
            pattern,
            treatment,
            delay_s=delay_s,
            chance=chance,
            most=most,
            randomness=self._random,
        )
        with self.changed:
            self._rules = [rule, *(one for one in self._rules if not one.is_over)]
        return rule

    def judge(self, frame: Frame) -> Rule | None:
        """The first rule that takes the frame, if one does."""
        with self.changed:
            found = next((rule for rule in self._rules if rule.takes(frame)), None)
            treatment = found.treatment if found else Treatment.PASS
            self._counts[treatment.value, frame.direction.value, frame.api] += 1
            self.changed.notify_all()
        return found

    def count(self, what: str) -> None:
        """Note something that happened to a connection."""
        with self.changed:
            self._counts[what, "", -1] += 1

    def counts(self) -> Counter[tuple[str, str, int]]:
        """How many frames were treated how, by treatment, direction and API key."""
        with self.changed:
            return Counter(self._counts)

    def end_all(self) -> None:
        """End every rule."""
        with self.changed:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.end()
