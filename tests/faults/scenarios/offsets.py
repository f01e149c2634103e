"""Committed offsets are gone, or lower than they were."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from streams.engine.restore import restore_offsets
from streams.errors import OffsetsMissing
from streams.testing.folders import InMemoryDisk
from tests.faults.scenarios.harm import LAST, Harm, compared, facts, folded, positions, rounds
from tests.unit.engine_bench import COUNTS, FACTS, Bench, home_of, liked


def a_deleted_group(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """All positions are gone, the store is there."""
    folded(bench, liked(1))
    bench.log.drop_offsets(bench.service.name)
    return _go_on(bench)


def a_deleted_group_on_a_new_host(bench: Bench, disk: InMemoryDisk) -> Harm:
    """Only what was published tells that this is no first start."""
    folded(bench, liked(1))
    disk.rows.clear()
    bench.log.drop_offsets(bench.service.name)
    return _go_on(bench)


def an_expired_offset(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """One partition's, as of one that nothing was written to for long."""
    folded(bench, liked(1))
    positions(bench).pop(home_of(5))
    return _go_on(bench)


def offsets_that_go_under_a_running_group(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Whoever is assigned a partition then finds no offset, although a start would have."""
    first = bench.worker()
    bench.emit(liked(1, LAST))
    first.drain()
    first.checkpoint()
    second = bench.worker(slot=1)
    bench.log.drop_offsets(bench.service.name)
    first.turn()
    with suppress(OffsetsMissing):
        rounds(second)
    first.crash()
    second.crash()
    restore_offsets(bench.service, bench.log, bench.folders)
    bench.emit(liked(2, LAST))
    bench.worker().drain()
    return compared(counts=({str(LAST): 2}, bench.counts()), facts=([1, 2], facts(bench)))


def a_kafka_from_an_older_backup(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Positions and outputs are those of then, the input and the store those of today."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    before = dict(positions(bench))
    ends = {one: one.end for one in _outputs(bench)}
    bench.emit(liked(2))
    worker.drain()
    worker.stop()
    positions(bench).update(before)
    for log, end in ends.items():
        del log._entries[end - log.start :]
    with suppress(OffsetsMissing):  # a human decides
        rounds(bench.worker())
    told = [1, 2][: bench.committed(home_of(5)).offset]
    return compared(facts=(told, facts(bench)))


def a_recovery_that_is_killed(bench: Bench, disk: InMemoryDisk) -> Harm:
    """Half way to the committed offset, on a host without a store; the next one has none either."""
    folded(bench, liked(1), liked(2), liked(3))
    disk.rows.clear()
    worker = bench.worker(poll_records=1)
    worker.turn()
    worker.commit()
    lowest = bench.committed(home_of(5)).offset
    worker.crash()
    disk.rows.clear()
    bench.worker().drain()
    return compared(facts=([1, 2, 3], facts(bench)), offset=(3, lowest))


def _go_on(bench: Bench) -> Harm:
    """Start again; what stops for offsets has them restored, as it says."""
    try:
        worker = bench.worker()
    except OffsetsMissing as stop:
        named = bench.service.restore in str(stop)
        restore_offsets(bench.service, bench.log, bench.folders)
        worker = bench.worker()
    else:
        named = True
    bench.emit(liked(2))
    worker.drain()
    return compared(
        named=(True, named),
        counts=({"5": 2}, bench.counts()),
        facts=([1, 2], facts(bench)),
        state=({1, 2}, worker.state().users),
    )


def _outputs(bench: Bench) -> list[Any]:
    return [log for name in (COUNTS, FACTS) for log in bench.log._broker.topic(name).logs]
