"""How the harm of a scenario is told, and the moves that scenarios share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.ports.records import TopicPartition
from streams.testing.folders import InMemoryDisk
from tests.unit.engine_bench import PARTITIONS, Bench, BenchWorker, home_of, photos_on

Harm = dict[str, tuple[Any, Any]]
"""What was expected and what was found, by name; empty where all is as it has to be."""

Scenario = Callable[[Bench, InMemoryDisk], Harm]

PHOTO, OTHER = photos_on(home_of(5).partition, 2)
"""Two photos on one partition."""

FIRST, *_, LAST = (photos_on(number, 1)[0] for number in range(PARTITIONS))
"""A photo on the partition that the first of two workers keeps, and one that moves."""

_ROUNDS = 5


def compared(**pairs: tuple[Any, Any]) -> Harm:
    """What is not as it has to be, of pairs (expected, found)."""
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def folded(bench: Bench, *events: Any) -> None:
    """A worker that folded these events, and ended."""
    worker = bench.worker()
    bench.emit(*events)
    worker.drain()
    worker.stop()


def rounds(*workers: BenchWorker) -> None:
    """A few turns and commits of each."""
    for _ in range(_ROUNDS):
        for worker in workers:
            worker.turn()
            worker.commit()


def leave(bench: Bench) -> None:
    """A process that stopped at its start is no member any more."""
    group = bench.log._broker.group(bench.service.name)
    for member in list(group._members):
        group.leave(member)


def facts(bench: Bench) -> list[int]:
    """The users of all facts that readers see."""
    return sorted(fact.user_id for fact in bench.facts())


def positions(bench: Bench) -> dict[TopicPartition, Any]:
    """What the group has committed, to be changed."""
    return bench.log._broker.group(bench.service.name).positions
