"""Makes what goes wrong smaller, as long as it goes wrong in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

C = TypeVar("C")
T = TypeVar("T")

MOST_TRIES: Final = 250


class Shrinker(Generic[C]):
    """Holds the smallest `case` so far; tries at most `MOST_TRIES`. Owned by one thread."""

    def __init__(self, case: C, is_wrong: Callable[[C], bool]) -> None:
        self.case = case
        self._is_wrong = is_wrong
        self._left = MOST_TRIES

    def fewer(self, items: Sequence[T], made_of: Callable[[Sequence[T]], C]) -> None:
        """Take out the items that do not matter: half of them, a quarter …; the last ones first."""
        kept = list(items)
        size = len(kept)
        while size > 0:
            end = len(kept)
            while end > 0:
                first = max(0, end - size)
                smaller = kept[:first] + kept[end:]
                if self.takes(made_of(smaller)):
                    kept = smaller
                end = first
            size //= 2

    def less(self, number: int, made_of: Callable[[int], C]) -> None:
        """Halve a number, then count it down, to 1 at the least."""
        while number > 1:
            half = number // 2
            if self.takes(made_of(half)):
                number = half
            elif self.takes(made_of(number - 1)):
                number -= 1
            else:
                return

    def takes(self, case: C) -> bool:
        """Go on with another case, if it is still wrong and there are tries left."""
        if case == self.case or self._left <= 0:
            return False
        self._left -= 1
        if not self._is_wrong(case):
            return False
        self.case = case
        return True
