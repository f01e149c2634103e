"""What a partition folds out of place, from its checkpoint on: what was skipped, and is no more.

A REDRIVEN record is folded when the position has reached `due`, right behind the offset at which
it was readmitted. A RETRIED key is folded in place, as if it had never been parked: its state
depends on its own events only. But a checkpoint that does not know of the retry yet has the key's
state as it was when it was parked. Then reading begins at that offset, and up to the checkpoint's
own only such keys are folded: they catch up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from streams.engine.decisions import DecisionKind, PartitionDecisions
from streams.topics.keys import Key


class Late(NamedTuple):
    """A redriven record: the one at `original`, folded when the position reaches `due`.

    `is_held` tells that the checkpoint has it: then it is for keys that catch up only.
    """

    due: int
    number: int
    original: int
    is_held: bool


class Course:
    """Where reading begins and what is folded on the way. Owned by the worker's thread.

    `number` is that of the last readmission which the checkpoint at the offset `checkpoint` holds.
    `since` tells by fold and key at which offset a key that catches up begins.
    """

    def __init__(self, decisions: PartitionDecisions, checkpoint: int, number: int) -> None:
        self.checkpoint = checkpoint
        self.start = checkpoint
        self.since: dict[str, dict[Key, int]] = {}
        late = []
        for at, one in decisions.readmitted.items():
            is_decided = at <= number
            original = -1 if one.original is None else one.original
            if one.kind is DecisionKind.REDRIVEN:
                late.append(Late(one.at + 1, at, original, is_decided and one.at < checkpoint))
            elif not is_decided and original < checkpoint:
                self.since.setdefault(one.fold, {})[one.fold_key] = original
                self.start = min(self.start, original)
        self._late = deque(sorted(one for one in late if one.due > self.start or not one.is_held))

    def catching_up(self, offset: int) -> Mapping[str, Mapping[Key, int]] | None:
        """By fold and key, since which offset it catches up; None where everything is folded."""
        return self.since if offset < self.checkpoint else None

    def bound(self, offset: int) -> int | None:
        """Where a run of records that begins at an offset has to end, None for no such place."""
        due = self._late[0].due if self._late else None
        if offset < self.checkpoint:
            return self.checkpoint if due is None else min(due, self.checkpoint)
        return due

    def is_due(self, position: int) -> bool:
        """Whether `take_late` would find something."""
        return bool(self._late) and self._late[0].due <= position

    def is_out_of_place(self, position: int) -> bool:
        """Whether the states at a position are not those of all that stands below it."""
        return position < self.checkpoint or self.is_due(position)

    def take_late(self, position: int) -> list[Late]:
        """What is due next at or below a position: records with one `due`, in order."""
        found: list[Late] = []
        while self._late and self._late[0].due <= (found[0].due if found else position):
            found.append(self._late.popleft())
        return found
