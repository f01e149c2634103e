"""Where one worker of a fleet stands, how its next process is started, and how processes ended."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streams.engine.process import BAD_INPUT, NEEDS_A_HUMAN

PAUSE_S = 0.2
"""Between the end of a worker and the start of its next process, unless it died young."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker process that is gone. `is_wanted`: the fleet, or a fault, ended it.

    `is_answered`: it asked for a human, and whoever brought it to that sees to it.
    """

    index: int
    pid: int
    code: int
    at_s: float
    is_wanted: bool
    is_answered: bool = False

    @property
    def asks_for_a_human(self) -> bool:
        """Whether no supervisor starts it again."""
        return self.code in (NEEDS_A_HUMAN, BAD_INPUT)


@dataclass(slots=True)
class Dress:
    """How the next process of a worker is started: words before its command, more variables.

    `may_refuse`: it may find that it cannot go on from what is there, and ask for a human.
    """

    prefix: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    may_refuse: bool = False


@dataclass(slots=True)
class Place:
    """Where one worker stands. `is_up`: it shall run; `is_doomed`: its end is our doing.

    `kafka_at`: where it finds Kafka, when that is not where everybody does; `through`: what brings
    its processes to where they live. `worn` is the dress of the present process.
    """

    index: int
    home: Path
    log: Path
    arms: Path
    process: subprocess.Popen[bytes] | None = None
    is_up: bool = False
    is_doomed: bool = False
    is_frozen: bool = False
    started_s: float = 0.0
    start_at_s: float = 0.0
    pause_s: float = PAUSE_S
    dress: Dress = field(default_factory=Dress)
    worn: Dress = field(default_factory=Dress)
    kafka_at: str = ""
    through: Sequence[str] = ()
