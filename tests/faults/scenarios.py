"""What the engine's guards are for, played on an in-memory log: each tells the harm that was done.

A scenario does what happens in the field, obeys the command that a stop names, lets whoever is left
go on, and compares what is published and kept with what the log says. No harm is an empty answer;
else what is named was expected, and found.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import Any

from schemas.counters import ActorCounted, ActorKind
from schemas.demo import LikesCounted
from schemas.social import PhotoLiked
from streams import Fold
from streams.engine.commit import MAX_FAILURES
from streams.engine.reset import reset_state
from streams.engine.restore import restore_offsets
from streams.errors import Fenced, FoldChanged, OffsetsMissing, TransactionFailed
from streams.ports.records import TopicPartition
from streams.state.folder import FolderLocked
from streams.testing.coordinator import CommitFault
from streams.testing.folders import InMemoryDisk, InMemoryFolders
from tests.unit.engine_bench import (
    COUNTS,
    FACTS,
    INPUT,
    PARTITIONS,
    Bench,
    BenchWorker,
    Fans,
    home_of,
    liked,
    likes_fold,
    outgoing,
    photos_on,
    posted,
)

Harm = dict[str, tuple[Any, Any]]
Scenario = Callable[[Bench, InMemoryDisk], Harm]

PHOTO, OTHER = photos_on(home_of(5).partition, 2)
"""Two photos on one partition."""

FIRST, *_, LAST = (photos_on(number, 1)[0] for number in range(PARTITIONS))
"""A photo on the partition that the first of two workers keeps, and one that moves."""

_ROUNDS = 5


def a_handler_that_raises_half_way(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """It has changed the state and emitted a fact; then there is a checkpoint, and a kill."""
    worker = bench.worker()
    bench.emit(liked(1, PHOTO), posted("raise", PHOTO), liked(2, OTHER))
    worker.drain()
    worker.checkpoint()
    worker.crash()
    worker = bench.worker()
    worker.drain()
    return _harm(
        counts=({str(PHOTO): 1, str(OTHER): 1}, bench.counts()),
        facts=([1, 2], _facts(bench)),
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
    return _harm(
        counts=({str(PHOTO): 4, str(OTHER): 2}, bench.counts()),
        facts=([1, 2, 3, 4, 5, 666], _facts(bench)),
        state=({1, 2, 4, 666}, worker.state(PHOTO).users),
        answers=(1, bench.kinds().count("retried")),
    )


def a_version_raised_on_a_new_host(bench: Bench, disk: InMemoryDisk) -> Harm:
    """Nothing there tells what the old program published, but the note beside the offset."""
    bench.declare(_weighing_fold(version=1, weight=1))
    _folded(bench, liked(1, PHOTO), liked(1, OTHER))
    disk.rows.clear()
    bench.declare(_weighing_fold(version=2, weight=10))
    try:
        worker = bench.worker()
    except FoldChanged:
        _leave(bench)
        reset_state(bench.service, bench.log, bench.folders)
        worker = bench.worker()
    bench.emit(liked(2, PHOTO))
    worker.drain()
    return _harm(counts=({str(PHOTO): 20, str(OTHER): 10}, bench.counts()))


def a_fold_added_on_a_new_host(bench: Bench, disk: InMemoryDisk) -> Harm:
    """What it would emit must be there for all of the log, or for nothing of it."""
    _folded(bench, liked(1), liked(2))
    disk.rows.clear()
    bench.declare(likes_fold(), _following_fold())
    with suppress(FoldChanged):  # as it emits facts there is no way but the old program
        worker = bench.worker()
        bench.emit(liked(3))
        worker.drain()
    found = [fact.user_id for fact in bench.facts() if fact.kind is ActorKind.FOLLOWER]
    return _harm(facts=([1, 2, 3] if found else [], sorted(found)))


def a_deleted_group(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """All positions are gone, the store is there."""
    _folded(bench, liked(1))
    bench.log.drop_offsets(bench.service.name)
    return _go_on(bench)


def a_deleted_group_on_a_new_host(bench: Bench, disk: InMemoryDisk) -> Harm:
    """Only what was published tells that this is no first start."""
    _folded(bench, liked(1))
    disk.rows.clear()
    bench.log.drop_offsets(bench.service.name)
    return _go_on(bench)


def an_expired_offset(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """One partition's, as of one that nothing was written to for long."""
    _folded(bench, liked(1))
    _positions(bench).pop(home_of(5))
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
        _rounds(second)
    first.crash()
    second.crash()
    restore_offsets(bench.service, bench.log, bench.folders)
    bench.emit(liked(2, LAST))
    bench.worker().drain()
    return _harm(counts=({str(LAST): 2}, bench.counts()), facts=([1, 2], _facts(bench)))


def a_kafka_from_an_older_backup(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Positions and outputs are those of then, the input and the store those of today."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    positions = dict(_positions(bench))
    ends = {one: one.end for one in _outputs(bench)}
    bench.emit(liked(2))
    worker.drain()
    worker.stop()
    _positions(bench).update(positions)
    for log, end in ends.items():
        del log._entries[end - log.start :]
    with suppress(OffsetsMissing):  # a human decides
        _rounds(bench.worker())
    told = [1, 2][: bench.committed(home_of(5)).offset]
    return _harm(facts=(told, _facts(bench)))


def a_recovery_that_is_killed(bench: Bench, disk: InMemoryDisk) -> Harm:
    """Half way to the committed offset, on a host without a store; the next one has none either."""
    _folded(bench, liked(1), liked(2), liked(3))
    disk.rows.clear()
    worker = bench.worker(poll_records=1)
    worker.turn()
    worker.commit()
    lowest = bench.committed(home_of(5)).offset
    worker.crash()
    disk.rows.clear()
    bench.worker().drain()
    return _harm(facts=([1, 2, 3], _facts(bench)), offset=(3, lowest))


def a_commit_that_fails_while_its_partition_moves(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Its offset is still to be sent, and the member that would send it is a good one."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    second = bench.worker(slot=1)
    bench.log.fail_next_commit(CommitFault.BEFORE)
    first.turn()
    _rounds(second)
    _rounds(first, second)
    return _harm(
        counts=({str(FIRST): 1, str(LAST): 1}, bench.counts()), facts=([1, 2], _facts(bench))
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
    return _harm(counts=(expected, bench.counts()), told=([True], told))


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
    _rounds(second)
    published = bench.counts()
    _rounds(first, second)
    owner = next(one for one in (first, second) if home_of(5) in one.owned)
    return _harm(
        counts=({"5": 3}, published),
        facts=([1, 2, 3], _facts(bench)),
        state=({1, 2, 3}, owner.state().users),
        killed=({1}, disk.doomed),
    )


def keys_that_belong_elsewhere(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """A producer without keys, and one with another partitioner."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2), liked(3))
    worker.drain()
    foreign = (home_of(5).partition + 1) % PARTITIONS
    bench.put(liked(4), key=None, partition=foreign)
    bench.put(liked(5), partition=foreign)
    worker.drain()
    return _harm(
        counts=({"5": 3}, bench.counts()),
        facts=([1, 2, 3], _facts(bench)),
        quarantined=(2, len(bench.quarantined())),
    )


def a_marker_at_the_end(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """The last thing in a partition is the end of somebody's transaction."""
    return _behind_a_transaction(bench, None)


def a_marker_of_an_aborted_transaction_at_the_end(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Of which nobody ever reads a record."""
    return _behind_a_transaction(bench, CommitFault.BEFORE)


def _behind_a_transaction(bench: Bench, fault: CommitFault | None) -> Harm:
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    producer = bench.log.transactions("somebody.else")
    bench.log.fail_next_commit(fault)
    with suppress(TransactionFailed):
        producer.commit([outgoing(liked(2))], {}, None)
    bench.log.expire_transactions()
    _rounds(worker)
    end = bench.log.admin().ends([home_of(5)])[home_of(5)]
    return _harm(
        offset=(end, bench.committed(home_of(5)).offset), caught_up=(True, bench.is_caught_up())
    )


def _harm(**compared: tuple[Any, Any]) -> Harm:
    """What is not as it has to be, of pairs (expected, found)."""
    return {name: pair for name, pair in compared.items() if pair[0] != pair[1]}


def _folded(bench: Bench, *events: Any) -> None:
    worker = bench.worker()
    bench.emit(*events)
    worker.drain()
    worker.stop()


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
    return _harm(
        named=(True, named),
        counts=({"5": 2}, bench.counts()),
        facts=([1, 2], _facts(bench)),
        state=({1, 2}, worker.state().users),
    )


def _leave(bench: Bench) -> None:
    """A process that stopped at its start is no member any more."""
    group = bench.log._broker.group(bench.service.name)
    for member in list(group._members):
        group.leave(member)


def _rounds(*workers: BenchWorker) -> None:
    for _ in range(_ROUNDS):
        for worker in workers:
            worker.turn()
            worker.commit()


def _facts(bench: Bench) -> list[int]:
    """The users of all facts that readers see."""
    return sorted(fact.user_id for fact in bench.facts())


def _positions(bench: Bench) -> dict[TopicPartition, Any]:
    return bench.log._broker.group(bench.service.name).positions


def _outputs(bench: Bench) -> list[Any]:
    return [log for name in (COUNTS, FACTS) for log in bench.log._broker.topic(name).logs]


def _weighing_fold(*, version: int, weight: int) -> Fold:
    """Counts likes, each as so many, and emits no facts, so that it can be reset."""
    fold = Fold("weighing", reads=INPUT, key="photo_id", state=Fans, version=version)

    @fold.on(PhotoLiked)
    def on_like(fans, event):
        fans.users.add(event.user_id)

    @fold.result(into=COUNTS)
    def count(photo_id, fans):
        return LikesCounted(photo_id=photo_id, likes=weight * len(fans.users))

    return fold


def _following_fold() -> Fold:
    """A second fold, which emits one fact a like."""
    fold = Fold("following", reads=INPUT, key="photo_id", state=Fans, emits=[ActorCounted])

    @fold.on(PhotoLiked)
    def on_like(fans, event, ctx):
        ctx.emit(ActorCounted(user_id=event.user_id, kind=ActorKind.FOLLOWER, delta=1))

    return fold
