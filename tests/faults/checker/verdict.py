"""What the checker found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_SHOWN = 10


class Violation(NamedTuple):
    """A property that did not hold, and where."""

    prop: str
    what: str

    def __str__(self) -> str:
        return f"{self.prop}: {self.what}"


class Verdict:
    """All violations of one trial."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = list(violations)

    @property
    def is_green(self) -> bool:
        return not self.violations

    @property
    def broken(self) -> dict[str, int]:
        """How often each property was violated, for those that were."""
        return dict(sorted(Counter(one.prop for one in self.violations).items()))

    def __repr__(self) -> str:
        return "green" if self.is_green else "\n".join(["RED", *self._lines()])

    def _lines(self) -> Iterator[str]:
        for prop, count in self.broken.items():
            shown = [one for one in self.violations if one.prop == prop][:_SHOWN]
            yield from map(str, shown)
            if count > len(shown):
                yield f"{prop}: … and {count - len(shown)} more"
