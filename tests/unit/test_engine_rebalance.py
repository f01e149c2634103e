"""Partitions that come and go: nothing of one that left is ever committed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from streams.clock import Deadline
from streams.engine import loop as loop_module
from streams.engine.membership import Membership
from streams.engine.stage import Stage
from streams.errors import TransactionFailed
from streams.ports.records import TopicPartition
from streams.testing.coordinator import CommitFault
from streams.testing.folders import folder_name
from tests.unit.engine_bench import (
    COUNTS,
    INPUT,
    PARTITIONS,
    home_of,
    liked,
    photos_on,
    posted,
)
from tests.unit.listener import ReadAll

FIRST, *_, LAST = (photos_on(number, 1)[0] for number in range(PARTITIONS))
"""A photo on the first partition, which the first worker keeps, and one that moves."""


class Commits:
    """Every commit that a worker's producers are asked for: positions and generation."""

    def __init__(self, worker):
        self.seen = []
        open_producer = worker.committer._open

        def watch(deadline):
            producer = open_producer(deadline)
            commit = producer.commit

            def record(outputs, positions, member, deadline):
                self.seen.append((set(positions), member.generation))
                commit(outputs, positions, member, deadline)

            producer.commit = record
            return producer

        worker.committer._open = watch
        worker.committer._recycle(Deadline.after(5))


def bump_the_epoch(bench):
    """A member of another topic joins: the group moves on, but no partition does."""
    onlooker = bench.log.consumer("bench")
    onlooker.subscribe([COUNTS], ReadAll())
    onlooker.poll(1, 0)


def test_an_open_interval_is_committed_when_its_partition_moves(bench):
    """Its new owner does not have to fold it again."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    second = bench.worker(slot=1)

    first.turn()
    after = bench.counts()
    second.drain()

    assert {str(FIRST): 1, str(LAST): 1} == after == bench.counts()
    assert 2 == len(bench.facts())


def test_a_partition_that_moves_leaves_a_checkpoint(bench):
    """Its new owner on this machine replays nothing."""
    first = bench.worker()
    bench.emit(liked(1, LAST))
    first.turn()
    second = bench.worker(slot=1)
    first.turn()
    bench.log.delete_records(home_of(LAST), before=1)

    second.turn()

    assert Stage.LIVE is second.partition(LAST).stage
    assert {1} == second.state(LAST).users


def test_a_partition_that_moves_is_let_go(bench, disk):
    """Two owners of one store would destroy it."""
    first = bench.worker()
    bench.worker(slot=1)
    path = folder_name("bench", home_of(LAST))
    before = path in disk.locks

    first.turn()

    assert before
    assert path not in disk.locks
    assert home_of(LAST) not in first.owned


def test_what_could_not_be_committed_of_a_partition_that_moves_is_dropped(bench):
    """The new owner folds it; the old one must never send it again."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    second = bench.worker(slot=1)
    bench.log.fail_next_commit(CommitFault.BEFORE)
    commits = Commits(first)
    first.turn()
    second.turn()
    second.commit()

    first.commit()
    second.drain()

    assert {str(FIRST): 1, str(LAST): 1} == bench.counts()
    assert [1, 2] == sorted(fact.user_id for fact in bench.facts())
    assert all(home_of(LAST) not in positions for positions, _ in commits.seen[1:])


def test_what_could_not_be_committed_leaves_no_checkpoint(bench, disk):
    """Nothing uncommitted is ever in the store."""
    first = bench.worker()
    bench.emit(liked(1, LAST))
    first.turn()
    bench.worker(slot=1)
    bench.log.fail_next_commit(CommitFault.BEFORE)

    first.turn()

    assert {} == disk.rows[folder_name("bench", home_of(LAST))]


def test_partitions_that_stay_keep_their_open_interval(bench):
    """Another one's leaving must not cost their events."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    second = bench.worker(slot=1)
    bench.log.fail_next_commit(CommitFault.BEFORE)
    first.turn()

    first.commit()

    assert 1 == bench.counts()[str(FIRST)]
    second.drain()


def test_a_lost_partition_is_dropped_and_nothing_is_committed_for_it(bench):
    """Another worker has it already; only that one may say where it stands."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    commits = Commits(worker)
    worker.consumer.expire()

    worker.turn()
    committed_nothing = not commits.seen
    worker.drain()

    assert committed_nothing
    assert {"5": 1} == bench.counts()
    assert 1 == len(bench.facts())


def test_a_lost_partition_leaves_no_checkpoint(bench, disk):
    """Its interval was not committed."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    worker.consumer.expire()
    worker.assignment.lost(list(worker.owned))

    assert all(rows == {} for rows in disk.rows.values())
    assert {} == disk.locks


def test_a_worker_that_slept_through_its_expulsion_does_no_harm(bench):
    """It wakes with an open interval, and the partitions are another's."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    first.consumer.expire()
    for folder in first.assignment._folders.values():
        folder.release()
    bench.emit(liked(3, FIRST))
    second = bench.worker(slot=1)
    second.drain()

    with pytest.raises(TransactionFailed, match="another worker owns its partitions"):
        first.committer.commit(first.assignment.partitions)
    assert {str(FIRST): 2, str(LAST): 1} == bench.counts()
    assert 3 == len(bench.facts())


def test_an_epoch_that_moves_without_a_callback_is_taken_over_without_a_failure(bench):
    """As when a third worker comes and takes from the second only."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    bump_the_epoch(bench)
    bench.emit(liked(2))
    worker.turn()
    commits = Commits(worker)

    happened = worker.commit()

    assert happened
    assert 1 == len(commits.seen)
    assert {"5": 2} == bench.counts()


def test_an_epoch_that_is_known_before_its_callback_commits_nothing_that_leaves(bench):
    """The broker asks for member and epoch, not for who owns the partition."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST))
    first.turn()
    second = bench.worker(slot=1)
    known_early = first.consumer.member()
    group = bench.log._broker.group("bench")
    newest = type(known_early)(known_early.group, known_early.member_id, group._generation)
    first.consumer.member = lambda: newest
    commits = Commits(first)

    first.commit()

    with_new_epoch = [sources for sources, epoch in commits.seen if epoch == newest.generation]
    assert commits.seen
    assert all(home_of(LAST) not in sources for sources in with_new_epoch)
    first.drain()
    second.drain()
    assert {str(FIRST): 1, str(LAST): 1} == bench.counts()


def test_an_epoch_is_not_taken_over_while_callbacks_may_be_queued(bench, monkeypatch):
    """A poll that came back full may have a revocation behind it."""
    monkeypatch.setattr(loop_module, "_DRAIN_RECORDS", 1)
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    bump_the_epoch(bench)
    worker.turn()
    bench.emit(liked(2))

    happened = worker.commit()

    assert not happened
    worker.turn()
    assert worker.commit()
    assert {"5": 2} == bench.counts()


class Epochs:
    """A consumer whose epoch is what the test says."""

    def __init__(self, generation):
        self.generation = generation

    def member(self):
        return SimpleNamespace(generation=self.generation)


def test_a_callback_between_outdates_what_was_proposed():
    """It captured a newer membership, with what is owned since."""
    epochs = Epochs(2)
    membership = Membership(epochs)
    membership.propose()
    epochs.generation = 3
    membership.capture()

    membership.settle()

    assert 3 == membership.member().generation
    assert not membership.is_stale


def test_a_member_that_never_joined_commits_nothing():
    """In a classic group the broker would take it, unfenced."""
    membership = Membership(Epochs(-1))
    membership.capture()

    with pytest.raises(TransactionFailed, match="not a member"):
        membership.member()


def test_a_result_that_raises_while_its_partition_moves_parks_nothing(bench):
    """The partition is leaving: the next owner meets the same, and decides it."""
    first = bench.worker()
    bench.emit(liked(1, FIRST), liked(2, LAST), posted("break the result", LAST))
    first.turn()
    second = bench.worker(slot=1)

    first.turn()
    before = bench.decisions(), bench.counts()
    second.drain()

    assert ([], {str(FIRST): 1}) == before
    assert [LAST] == [decision.fold_key for decision in bench.decisions()]
    assert {str(FIRST): 1} == bench.counts()


def test_a_result_that_raises_while_another_partition_moves_skips_no_record(bench):
    """Records of the same poll stand behind those that would have to be read again."""
    first = bench.worker(poll_records=2)
    bench.emit(liked(1, FIRST), posted("break the result", FIRST))
    first.turn(4)
    second = bench.worker(slot=1)
    other = photos_on(0, 2)[1]
    bench.emit(liked(3, other), liked(4, other))

    first.drain()
    second.drain()

    assert {str(other): 2} == bench.counts()
    assert [FIRST] == [decision.fold_key for decision in bench.decisions()]


def test_a_partition_in_silent_replay_commits_nothing(bench):
    """No offset below the committed one is ever sent."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2), liked(3))
    worker.drain()
    worker.crash()
    worker = bench.worker(poll_records=1)
    commits = Commits(worker)

    happened = worker.commit()

    assert Stage.RESTORING is worker.partition().stage
    assert happened
    assert [] == commits.seen
    assert 3 == bench.committed(home_of(5)).offset


def test_a_partition_that_moves_in_silent_replay_only_checkpoints(bench):
    """What was replayed so far is not lost for the next owner."""
    first = bench.worker()
    bench.emit(liked(1, LAST), liked(2, LAST), liked(3, LAST))
    first.drain()
    first.crash()
    first = bench.worker(poll_records=1)
    first.turn()
    second = bench.worker(slot=1)
    commits = Commits(first)
    first.turn()
    bench.log.delete_records(home_of(LAST), before=1)

    second.drain()

    assert [] == commits.seen
    assert {1, 2, 3} == second.state(LAST).users
    assert [(LAST, 3)] == bench.results()


def test_a_stopped_worker_leaves_nothing_to_replay(bench, disk):
    """SIGTERM commits and checkpoints."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    worker.stop()
    bench.log.delete_records(home_of(5), before=1)

    worker = bench.worker()

    assert {"5": 1} == bench.counts()
    assert {1} == worker.state().users


def test_a_worker_that_ends_takes_no_partition(bench):
    """A callback of its closing consumer must not open what nobody will fold."""
    worker = bench.worker()
    worker.assignment.close()

    starts = worker.assignment.assigned([TopicPartition(INPUT, 0)])

    assert {} == starts
    assert {} == worker.owned


def test_a_worker_that_lets_go_asks_its_group_nothing_more(bench, monkeypatch):
    """A client that closes knows no membership; that must not hide what broke the worker."""
    worker = bench.worker()

    def member():
        raise RuntimeError("Consumer group metadata not available")

    monkeypatch.setattr(worker.consumer, "member", member)

    worker.stack.close()

    assert {} == worker.owned
