"""Receipts in the order of their records, until they are settled or it takes too long.

The client library could give up records itself, and must not: what it has under way then it sends
once more as if it were new, and an acknowledged record is in the log twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from streams.clock import monotonic_s
from streams.sdk.receipt import Receipt

_SOON_S: Final = 0.5
"""By then nearly all records are acknowledged, and only the others are worth a note."""

_Group = tuple[float, list[Receipt]]


class Overdue:
    """Whose acknowledgement takes longer than `patience_s`. One thread owns it."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._young: deque[_Group] = deque()
        self._old: deque[_Group] = deque()

    def add(self, receipts: list[Receipt]) -> None:
        """Records that were queued since the last call."""
        self._young.append((monotonic_s(), receipts))

    def take(self) -> Iterator[Receipt]:
        """Receipts that have become overdue, each once."""
        now_s = monotonic_s()
        for at_s, receipts in _older(self._young, now_s - min(_SOON_S, self._patience_s)):
            # spelled out: each event of a busy client comes by here
            waiting = [one for one in receipts if one.offset is None and one.error is None]
            if waiting:
                self._old.append((at_s, waiting))
        for _, receipts in _older(self._old, now_s - self._patience_s):
            yield from (one for one in receipts if not one.done)


def _older(groups: deque[_Group], at_s: float) -> Iterator[_Group]:
    """Take out the groups from before that time."""
    while groups and groups[0][0] <= at_s:
        yield groups.popleft()
