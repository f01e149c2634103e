"""What happened when, for people and for replays: a line of JSON each, and a line on the screen."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from streams.clock import monotonic_s

Happening = dict[str, Any]

_COUNTS = {"inject": 1, "not-injected": -1}


@dataclass(frozen=True, slots=True)
class Reset:
    """An audited move of a group's position: the only one that may take it back.

    Of one that has an input folded again from its start, `reached` is the position it had come to,
    and `ends` says where each partition of the outputs ended then. `ends` is empty of others.
    """

    topic: str
    partition: int
    offset: int
    reached: int = -1
    ends: Mapping[str, int] = field(default_factory=dict)


class Timeline:
    """The happenings of one trial, in a file and in memory. Safe from any thread."""

    def __init__(self, file: Path, *, is_shown: bool = False) -> None:
        self.begun_s = monotonic_s()
        self.happenings: list[Happening] = []
        self._file = file
        self._is_shown = is_shown
        self._lock = threading.Lock()

    @property
    def at_s(self) -> float:
        """Seconds since the trial began."""
        return monotonic_s() - self.begun_s

    def note(self, what: str, **fields: Any) -> None:
        """Something happened now: `what` in lower case with hyphens, its facts as JSON values."""
        with self._lock:
            happening = {"at_s": round(self.at_s, 3), "what": what, **fields}
            self.happenings.append(happening)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(happening) + "\n")
            if self._is_shown:
                facts = " ".join(f"{name}={value}" for name, value in fields.items())
                print(f"{happening['at_s']:8.1f} s  {what} {facts}", flush=True)

    def count(self, what: str) -> int:
        """How often that happened so far."""
        return sum(one["what"] == what for one in self.happenings)

    def reset(self, move: Reset) -> None:
        """A group's position is about to be moved on purpose: C7 lets it go back to there."""
        self.note("reset", **asdict(move))

    @property
    def resets(self) -> list[Reset]:
        """All moves on purpose so far."""
        names = Reset.__dataclass_fields__
        return [
            Reset(**{name: one[name] for name in names})
            for one in self.happenings
            if one["what"] == "reset"
        ]


def faults_in(happenings: Iterable[Happening]) -> dict[str, int]:
    """How often each fault was injected; without those that found nothing to harm."""
    counts: Counter[str] = Counter()
    for one in happenings:
        counts[one.get("fault", "")] += _COUNTS.get(one["what"], 0)
    return {fault: count for fault, count in sorted(counts.items()) if count}
