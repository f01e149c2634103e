"""A schedule as text: how a service is run, and what happens to it, one step a line."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from streams.errors import InputError

Step = tuple[str | int, ...]
"""A word and its numbers, such as ("run", 0, 14)."""

NUMBERS: Final = {
    "emit": 1,  # records of the input arrive
    "again": 0,  # the last of them arrives once more
    "start": 1,  # a worker's process begins
    "run": 2,  # … makes its next calls
    "crash": 1,  # … is killed where it stands
    "stop": 1,  # … is told to end in order
    "fail": 1,  # … makes a call that fails
    "lost": 1,  # … makes a call that takes effect, and fails
    "late": 1,  # … makes a call that fails, and takes effect later
    "slow": 1,  # … makes a call that succeeds, with a copy still under way
    "deliver": 0,  # the oldest call that is under way arrives
    "expel": 1,  # the group gives up on a worker
    "beat": 1,  # a worker's client speaks with the group by itself
    "sleep": 1,  # seconds pass
    "wipe": 1,  # a host on which nothing runs loses its disk
}
"""How many numbers follow each word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a simulated service is run. Worker n is on host n modulo `hosts`."""

    protocol: str = "consumer"
    workers: int = 2
    hosts: int = 2
    poll_records: int = 100
    cache_entries: int = 1_000
    commit_interval_s: float = 0.2
    checkpoint_interval_s: float = 10.0

    def __post_init__(self) -> None:
        if self.protocol not in {"consumer", "classic"}:
            raise InputError(f"found the protocol {self.protocol!r}, wanted consumer or classic")
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) and value <= 0:
                raise InputError(f"found {field.name}={value} in a schedule, wanted more than 0")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is played: `str` gives the text that `parse` reads."""

    setup: Setup
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        changed = [
            f"{field.name}={value}"
            for field in fields(Setup)
            if (value := getattr(self.setup, field.name)) != field.default
        ]
        lines = [" ".join(["given", *changed])] if changed else []
        return "\n".join([*lines, *(" ".join(map(str, step)) for step in self.steps)])

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """The schedule of a text; InputError shows the line that is none."""
        words = [found for line in text.splitlines() if (found := line.split())]
        setup = Setup()
        if words and words[0][0] == "given":
            setup = Setup(**dict(map(_given, words.pop(0)[1:])))
        return cls(setup, tuple(map(_step, words)))


def _given(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    known: dict[str, Any] = {field.name: field.default for field in fields(Setup)}
    if name not in known:
        raise InputError(f"found {text!r} in a schedule, wanted one of {', '.join(known)}")
    try:
        return name, type(known[name])(value)
    except ValueError as exc:
        raise InputError(f"found {text!r} in a schedule, wanted a number") from exc


def _step(words: list[str]) -> Step:
    word, *numbers = words
    wanted = NUMBERS.get(word)
    if wanted is None:
        raise InputError(f"found the step {word!r}, wanted one of {', '.join(NUMBERS)}")
    if len(numbers) != wanted or not all(map(str.isdecimal, numbers)):
        raise InputError(f"found the step {' '.join(words)!r}, wanted {wanted} numbers behind it")
    return word, *map(int, numbers)
