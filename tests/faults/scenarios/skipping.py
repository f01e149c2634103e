"""A handler raises, and what was skipped is folded after all."""

from __future__ import annotations

from copy import deepcopy

from streams.testing.folders import InMemoryDisk
from tests.faults.scenarios.harm import OTHER, PHOTO, Harm, compared, facts
from tests.unit.engine_bench import Bench, liked, likes_fold, posted


def a_handler_that_raises_half_way(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """It has changed the state and emitted a fact; then there is a checkpoint, and a kill."""
    worker = bench.worker()
    bench.emit(liked(1, PHOTO), posted("raise", PHOTO), liked(2, OTHER))
    worker.drain()
    worker.checkpoint()
    worker.crash()
    worker = bench.worker()
    worker.drain()
    return compared(
        counts=({str(PHOTO): 1, str(OTHER): 1}, bench.counts()),
        facts=([1, 2], facts(bench)),
        state=({1}, worker.state(PHOTO).users),
    )


def a_retry_between_two_kills(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """A key is parked, its handler mended, the key retried; one kill before, one behind it."""
    worker = bench.worker()
    bench.emit(liked(1, PHOTO), posted("raise", PHOTO), liked(2, PHOTO), liked(3, OTHER))
    worker.drain()
    worker.checkpoint()
    worker.crash()
    bench.declare(likes_fold(is_mended=True))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    worker = bench.worker()
    bench.emit(liked(4, PHOTO), liked(5, OTHER))
    worker.drain()
    return compared(
        counts=({str(PHOTO): 4, str(OTHER): 2}, bench.counts()),
        facts=([1, 2, 3, 4, 5, 666], facts(bench)),
        state=({1, 2, 4, 666}, worker.state(PHOTO).users),
        answers=(1, bench.kinds().count("retried")),
    )


def a_retry_that_the_store_does_not_know(bench: Bench, disk: InMemoryDisk) -> Harm:
    """A kill between the commit of the answer and the checkpoint behind it."""
    worker = bench.worker()
    bench.emit(liked(1, PHOTO), posted("raise", PHOTO), liked(2, PHOTO), liked(3, OTHER))
    worker.drain()
    worker.stop()
    rows = deepcopy(disk.rows)
    bench.declare(likes_fold(is_mended=True))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    disk.rows = rows
    worker = bench.worker()
    bench.emit(liked(2, PHOTO), liked(4, PHOTO))
    worker.drain()
    return compared(
        counts=({str(PHOTO): 4, str(OTHER): 1}, bench.counts()),
        facts=([1, 2, 3, 4, 666], facts(bench)),
        state=({1, 2, 4, 666}, worker.state(PHOTO).users),
    )
