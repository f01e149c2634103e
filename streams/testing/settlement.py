"""The end of a simulation: faults stop, the workers finish, and what is left must be right.

1. Every worker runs until all that was emitted is folded and committed.
2. All of them stop in order. Then the stores of the last owners are at the committed offsets, and
   hold the states of a plain fold; no store is ahead of them.
3. All disks are wiped. A worker that makes every state again from the log publishes nothing, and
   ends with the same states.
"""

from __future__ import annotations

from typing import Final

from streams.ports.records import TopicPartition
from streams.state.checkpoint import read_meta
from streams.state.memory import MemoryStore
from streams.testing.folders import InMemoryDisk, folder_name
from streams.testing.referee import Finding
from streams.testing.saved_states import wrong_store
from streams.testing.world import SESSION_S, TRANSACTION_S, World

_ROUNDS: Final = 100
"""Most of `_CALLS` calls of each worker; it takes less than 10 when nothing is wrong."""

_CALLS: Final = 25
_LONG_S: Final = int(max(SESSION_S, TRANSACTION_S)) + 1


def settle(world: World) -> Finding | None:
    """Bring a simulation to its end; returns what is wrong."""
    if world.finding is not None:
        return world.finding
    world.settle()
    _heal(world)
    return _worked_off(world, len(world.places)) or _stores(world) or _rebuilt(world)


def _heal(world: World) -> None:
    for _ in world.places:
        world.step(("deliver",))
    world.step(("emit", world.left))
    world.step(("sleep", _LONG_S))


def _worked_off(world: World, workers: int) -> Finding | None:
    """Run so many workers until everything is committed, then stop them; what is wrong."""
    is_done = _caught_up(world, range(workers)) and _stopped(world)
    if world.finding is None and not is_done:
        return _stuck(world)
    return world.finding


def _caught_up(world: World, workers: range) -> bool:
    """Run until everything is committed; False when that does not come to an end."""
    for _ in range(_ROUNDS):
        for worker in workers:
            world.step(("start", worker))
            world.step(("run", worker, _CALLS))
        if world.finding is not None:
            return False
        if _is_at_rest(world, workers):
            return True
    return False


def _is_at_rest(world: World, workers: range) -> bool:
    """Whether all is committed, and every partition is owned and live."""
    judged = world.referee.partitions
    ends = world.log.admin().ends(list(judged), committed=False)
    if any(one.offset != ends[source] for source, one in judged.items()):
        return False
    owned = [source for worker in workers for source in world.places[worker].owned_live]
    return sorted(owned) == sorted(ends)


def _stopped(world: World) -> bool:
    """Stop all workers in order; False when that does not come to an end."""
    for worker in range(len(world.places)):
        world.step(("stop", worker))
    for _ in range(_ROUNDS):
        running = [worker for worker, place in enumerate(world.places) if place.process]
        if not running:
            return True
        for worker in running:
            world.step(("run", worker, _CALLS))
    return False


def _stores(world: World) -> Finding | None:
    """What is wrong with what is saved."""
    for source, judged in world.referee.partitions.items():
        stores = [store for host in world.hosts for store in _saved(world, host.disk, source)]
        for store in stores:
            found = wrong_store(judged, store)
            if found is not None:
                return found
        saved = [meta.offset for store in stores if (meta := read_meta(store)) is not None]
        if judged.at > 0 and judged.at not in saved:
            return Finding("store", f"nobody saved {source} at {judged.at}, where it is committed")
    return None


def _saved(world: World, disk: InMemoryDisk, source: TopicPartition) -> list[MemoryStore]:
    """The stores of a partition on a disk; the name of one that somebody held ends in a pid."""
    name = folder_name(world.service.name, source)
    return [
        MemoryStore(rows)
        for place, rows in disk.rows.items()
        if place == name or place.startswith(f"{name}.")
    ]


def _rebuilt(world: World) -> Finding | None:
    """Make everything again from the log, silently."""
    for host in world.hosts:
        host.disk.rows.clear()
    written = world.referee.written
    found = _worked_off(world, 1)
    if found is None and world.referee.written != written:
        return Finding("rebuild", "making the states again from the log published something")
    return found or _stores(world)


def _stuck(world: World) -> Finding:
    behind = [
        f"{source}: committed {judged.at}"
        for source, judged in world.referee.partitions.items()
        if judged.offset is None or judged.at < world.log.end(source)
    ]
    return Finding("stuck", "the workers do not finish after all faults are over", tuple(behind))
