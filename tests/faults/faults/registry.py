"""Every fault that the nemesis may choose from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tests.faults.crash_points import Point
from tests.faults.fault import Fault
from tests.faults.faults.membership import RebalanceStorm
from tests.faults.faults.workers import (
    FreezeWorker,
    KillAllWorkers,
    KillAt,
    KillWorker,
    OutOfMemory,
    StarveWorker,
    TerminateWorker,
)


class Entry(NamedTuple):
    """A fault that may be drawn. `nodes` is how many the cluster must have; `weight` how often."""

    make: Callable[[], Fault]
    nodes: int = 1
    weight: float = 1.0


FAULTS: list[Entry] = [
    Entry(KillWorker, weight=4.0),
    Entry(KillAllWorkers),
    *(Entry(partial(KillAt, point)) for point in Point),
    Entry(FreezeWorker, weight=2.0),
    Entry(TerminateWorker),
    Entry(OutOfMemory),
    Entry(StarveWorker),
    Entry(RebalanceStorm),
]
"""Append what may strike at any time; what only a human heals has trials of its own instead."""
