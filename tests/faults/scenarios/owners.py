"""Two workers believe that they own a partition, an id or a folder."""

from __future__ import annotations

import shutil
from copy import copy

from streams.engine.commit import MAX_FAILURES
from streams.errors import Fenced
from streams.state.folder import FolderLocked
from streams.testing.coordinator import CommitFault
from streams.testing.folders import InMemoryDisk, InMemoryFolders
from tests.faults.scenarios.harm import FIRST, LAST, Harm, compared, facts, rounds
from tests.unit.engine_bench import Bench, home_of, liked


def a_commit_that_fails_while_its_partition_moves(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Its offset is still to be sent, and the member that would send it is a good one."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    second = bench.worker(slot=1)
    bench.log.fail_next_commit(CommitFault.BEFORE)
    first.turn()
    rounds(second)
    rounds(first, second)
    return compared(
        counts=({str(FIRST): 1, str(LAST): 1}, bench.counts()), facts=([1, 2], facts(bench))
    )


def two_hosts_with_one_id(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """A copied STREAMS_HOME, as in an image: one of them has to end, and to say why."""
    first = bench.worker()
    copied = copy(bench)
    copied.home = bench.home.with_name("copied")
    shutil.copytree(bench.home, copied.home)
    copied.folders = InMemoryFolders(InMemoryDisk(), pid=2)
    working, told = [first, copied.worker()], []
    for user in range(MAX_FAILURES):
        bench.emit(liked(user, FIRST), liked(user, LAST))
        for worker in list(working):
            worker.turn()
            try:
                worker.commit()
            except Fenced as stop:
                told.append("another process has this state folder's id" in str(stop))
                worker.crash()
                working.remove(worker)
    expected = dict.fromkeys((str(FIRST), str(LAST)), MAX_FAILURES)
    return compared(counts=(expected, bench.counts()), told=([True], told))


def a_stopped_owner_that_keeps_its_lock(bench: Bench, disk: InMemoryDisk) -> Harm:
    """SIGSTOP for longer than its session, in the middle of an interval; later it wakes up."""
    first = bench.worker()
    bench.emit(liked(1))
    first.drain()
    first.checkpoint()
    bench.emit(liked(2))
    first.turn()
    first.consumer.expire()
    bench.emit(liked(3))
    try:
        second = bench.worker(slot=1)
    except FolderLocked as locked:
        return {"owner": ("a new one", str(locked))}
    rounds(second)
    published = bench.counts()
    rounds(first, second)
    owner = next(one for one in (first, second) if home_of(5) in one.owned)
    return compared(
        counts=({"5": 3}, published),
        facts=([1, 2, 3], facts(bench)),
        state=({1, 2, 3}, owner.state().users),
        killed=({1}, disk.doomed),
    )


def a_worker_that_is_expelled_and_joins_again(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Its client does both in the background, before the worker hears of either."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    first.consumer.expire()
    second = bench.worker(slot=1)
    rounds(second)
    first.consumer.heartbeat()
    first.commit()
    rounds(first, second)
    return compared(
        counts=({str(FIRST): 1, str(LAST): 1}, bench.counts()), facts=([1, 2], facts(bench))
    )
