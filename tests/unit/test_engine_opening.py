"""Which state belongs to a committed offset: what is used, what is rebuilt, and what stops."""

from __future__ import annotations

import msgspec
import pytest

from schemas.social import PhotoShared
from streams.clock import Deadline
from streams.engine import opening
from streams.engine.decision_log import DecisionLog
from streams.engine.decisions import Decision, DecisionKind
from streams.engine.group_offsets import write_offsets
from streams.engine.progress import progress_of
from streams.engine.restore import restore_offsets
from streams.engine.stage import Stage
from streams.errors import (
    BrokerUnavailable,
    FoldChanged,
    OffsetsMissing,
    TopicChanged,
    TransactionFailed,
)
from streams.ports.records import Committed, TopicPartition
from streams.state.codec import row_prefixes
from streams.state.folder import is_kill_requested, request_kill
from streams.testing.admin import InMemoryAdmin
from streams.testing.coordinator import CommitFault
from streams.testing.folders import folder_name
from tests.unit.engine_bench import INPUT, PARTITIONS, home_of, liked, likes_fold, shares_fold

SOURCE = home_of(5)
SOURCES = [SOURCE._replace(partition=number) for number in range(PARTITIONS)]


def folded(bench, *events):
    """A stopped service that has folded events, with a checkpoint at the end of them."""
    worker = bench.worker()
    bench.emit(*events)
    worker.drain()
    worker.stop()


def note(bench, source=SOURCE, **changes):
    """The committed position of an input partition with changes to its note."""
    committed = bench.committed(source)
    progress = progress_of(source, committed, "bench")
    return committed._replace(metadata=msgspec.structs.replace(progress, **changes).text())


def commit(bench, committed):
    write_offsets(bench.service, bench.log, {SOURCE: committed})


def shared(share_id):
    return PhotoShared(share_id=share_id, photo_id=5, owner_id=9, user_id=1)


def test_a_store_of_the_committed_state_is_used_from_its_offset(bench):
    """Replay begins at the checkpoint, not at the log's start."""
    folded(bench, liked(1), liked(2))
    bench.log.delete_records(SOURCE, before=2)

    worker = bench.worker()

    assert Stage.LIVE is worker.partition().stage
    assert {1, 2} == worker.state().users


@pytest.mark.parametrize("question", ["starts", "ends"])
def test_a_broker_that_does_not_answer_is_waited_for(bench, monkeypatch, question):
    """Else each rebalance during a short outage costs a worker's process and its cache."""
    folded(bench, liked(1))
    ask = getattr(InMemoryAdmin, question)
    answers = iter([BrokerUnavailable("no answer")] * 2)

    def asked(*args, **named):
        if (error := next(answers, None)) is not None:
            raise error
        return ask(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(InMemoryAdmin, question, asked)
        worker = bench.worker()

    assert {1} == worker.state().users


@pytest.mark.parametrize("text", ["", "rubbish", '{"generation":"x"}'])
def test_an_offset_that_another_tool_moved_stops(bench, text):
    """Its note is gone, so nobody knows which state it belongs to."""
    folded(bench, liked(1))
    commit(bench, Committed(0, text))

    with pytest.raises(OffsetsMissing, match=r"another tool moved .*streams offsets restore bench"):
        bench.worker()


def test_a_committed_offset_behind_the_store_stops(bench):
    """Folding from it would publish again what was published."""
    folded(bench, liked(1), liked(2))
    commit(bench, note(bench)._replace(offset=1))

    with pytest.raises(
        OffsetsMissing, match=r"behind the store's 2.*streams offsets restore bench"
    ):
        bench.worker()


def test_a_committed_offset_beyond_the_log_stops(bench):
    """A log that was cut short holds other records there later."""
    folded(bench, liked(1))
    commit(bench, note(bench)._replace(offset=9))

    with pytest.raises(TopicChanged, match="log that ends at 1, wanted the committed offset 9"):
        bench.worker()


def test_a_store_of_another_generation_is_set_aside_and_rebuilt_in_silence(bench, disk):
    """Two lines of state must not mix; the state ends equal and nothing is published again."""
    folded(bench, liked(1), liked(2))
    before = bench.results(), len(bench.facts())
    commit(bench, note(bench, generation="another"))

    worker = bench.worker()
    worker.drain()

    assert folder_name("bench", SOURCE) in disk.aside
    assert {1, 2} == worker.state().users
    assert before == (bench.results(), len(bench.facts()))


def test_the_store_that_is_rebuilt_belongs_to_the_new_generation(bench, disk):
    """The next start uses it."""
    folded(bench, liked(1), liked(2))
    commit(bench, note(bench, generation="another"))
    bench.worker().stop()
    disk.aside.clear()

    worker = bench.worker()

    assert {} == disk.aside
    assert {1, 2} == worker.state().users


def test_a_store_made_by_another_version_of_a_fold_is_set_aside_and_rebuilt(bench, disk):
    """As when the version was raised on another host, which committed since."""
    folded(bench, liked(1))
    bench.declare(likes_fold(version=2))
    write_offsets(
        bench.service, bench.log, {one: note(bench, one, versions={"likes": 2}) for one in SOURCES}
    )

    worker = bench.worker()

    assert folder_name("bench", SOURCE) in disk.aside
    assert {1} == worker.state().users


def test_a_raised_version_is_refused_with_the_command_that_folds_again(bench):
    """The same log must give another answer, which no live fold can do."""
    folded(bench, liked(1))
    bench.declare(likes_fold(version=2))

    with pytest.raises(FoldChanged, match=r"has version 2, not 1.*its folds emit facts"):
        bench.worker()


def test_an_added_fold_is_refused_with_the_command_that_folds_again(bench):
    """It would miss everything below the committed offset."""
    folded(bench, liked(1))
    bench.declare(likes_fold(), shares_fold())

    with pytest.raises(FoldChanged, match=r"shares was added.*its folds emit facts"):
        bench.worker()


def test_a_fold_that_is_no_longer_declared_goes_with_its_rows(bench, disk):
    """Its rows would never be read again; the other fold's stay."""
    bench.declare(likes_fold(), shares_fold())
    folded(bench, liked(1), shared(3))
    rows = disk.rows[folder_name("bench", SOURCE)]
    assert rows_of(rows, "shares")
    bench.declare(likes_fold())

    worker = bench.worker()
    bench.emit(liked(2))
    worker.drain()

    assert [] == rows_of(rows, "shares")
    assert {1, 2} == worker.state().users
    assert {"likes": 1} == progress_of(SOURCE, bench.committed(SOURCE), "bench").versions


def test_a_store_without_a_fold_that_older_code_declares_is_not_taken_as_whole(bench, disk):
    """A roll-back before the first commit of the new code finds the note of the old code."""
    bench.declare(likes_fold(), shares_fold())
    folded(bench, liked(1), shared(3))
    bench.declare(likes_fold())
    bench.worker().crash()
    bench.declare(likes_fold(), shares_fold())

    worker = bench.worker()

    assert folder_name("bench", SOURCE) in disk.aside
    assert {3} == worker.state(fold=1).ids


def test_a_crash_before_the_first_commit_without_a_fold_does_not_cost_the_store(bench, disk):
    """The note beside the offset is still the old one, the one in the store is not."""
    bench.declare(likes_fold(), shares_fold())
    folded(bench, liked(1), shared(3))
    bench.declare(likes_fold())
    bench.worker().crash()

    worker = bench.worker()

    assert {} == disk.aside
    assert {1} == worker.state().users


def test_a_topic_that_was_made_again_stops(bench):
    """Its offsets mean other records."""
    folded(bench, liked(1))
    committed = {source: bench.committed(source) for source in SOURCES}
    bench.log.recreate_topic(INPUT)
    write_offsets(bench.service, bench.log, committed)

    with pytest.raises(TopicChanged, match=f"made again.*state reset bench --topic {INPUT}"):
        bench.worker()


def test_partitions_that_are_added_while_a_worker_runs_stop_it(bench):
    """Keys would move to them while their state stays where it was."""
    worker = bench.worker()
    bench.log.add_partitions(INPUT, PARTITIONS + 2)

    with pytest.raises(TopicChanged, match=f"found {PARTITIONS + 2} partitions"):
        worker.turn()


def test_a_log_that_no_longer_reaches_the_origin_stops_a_worker_without_a_store(bench, disk):
    """The state cannot be made again from what is left."""
    folded(bench, liked(1), liked(2))
    disk.rows.clear()
    bench.log.delete_records(SOURCE, before=1)

    with pytest.raises(TopicChanged, match=r"log begins at 1.*its folds emit facts"):
        bench.worker()


def test_a_store_behind_the_start_of_the_log_stops(bench):
    """What retention removed between the two would be missing from the state."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2), liked(3))
    worker.drain()
    worker.crash()
    bench.log.delete_records(SOURCE, before=2)

    with pytest.raises((OffsetsMissing, TopicChanged)):
        bench.worker()


def test_a_replay_without_a_store_begins_at_the_origin(bench, disk):
    """Where the service once began, which need not be 0."""
    bench.emit(liked(1), liked(2))
    bench.log.delete_records(SOURCE, before=1)
    restore_offsets(bench.service, bench.log, bench.folders)
    folded(bench, liked(3))
    disk.rows.clear()

    worker = bench.worker()

    assert {2, 3} == worker.state().users


def test_a_folder_that_stays_locked_is_replaced_by_a_fresh_one(bench_on_disk, monkeypatch):
    """A stuck holder must not stop the partition; it can no longer commit."""
    monkeypatch.setattr(opening, "LOCK_PATIENCE_S", 0.0)
    monkeypatch.setattr(opening, "KILL_PATIENCE_S", 0.0)
    bench = bench_on_disk
    folded(bench, liked(1))
    holder = bench.folders.take("bench", SOURCE)

    worker = bench.worker()
    bench.emit(liked(2))
    worker.drain()

    assert {"5": 2} == bench.counts()
    assert {1, 2} == worker.state().users
    holder.release()
    worker.stop()


def test_the_holder_of_a_locked_folder_is_named_to_the_supervisor_once(bench, monkeypatch, disk):
    """Asked twice, it might kill a process that got the same pid since."""
    monkeypatch.setattr(opening, "LOCK_PATIENCE_S", 0.0)
    monkeypatch.setattr(opening, "KILL_PATIENCE_S", 0.0)
    asked = []
    monkeypatch.setattr(bench.folders, "request_kill", asked.append)
    disk.locks[folder_name("bench", SOURCE)] = 4321

    bench.worker()

    assert [4321] == asked


def test_a_folder_that_is_let_go_in_time_is_taken(bench, monkeypatch, disk):
    """Its owner is about to end, and its store saves a replay."""
    folded(bench, liked(1))
    path = folder_name("bench", SOURCE)
    disk.locks[path] = 4321
    asked = []

    def let_go(pid):
        asked.append(pid)
        del disk.locks[path]

    monkeypatch.setattr(opening, "LOCK_PATIENCE_S", 0.0)
    monkeypatch.setattr(bench.folders, "request_kill", let_go)
    worker = bench.worker()

    assert [4321] == asked
    assert path in disk.locks
    assert {1} == worker.state().users


def test_a_request_to_kill_is_told_once(tmp_path):
    """The supervisor asks in each of its rounds, about its own children only."""
    request_kill(tmp_path, 77)

    assert not is_kill_requested(tmp_path, 78)
    assert is_kill_requested(tmp_path, 77)
    assert not is_kill_requested(tmp_path, 77)


def test_what_was_opened_is_let_go_when_a_later_partition_stops_the_worker(bench, disk):
    """Another worker of this program may open it."""
    folded(bench, liked(1))
    commit(bench, Committed(0, "rubbish"))

    with pytest.raises(OffsetsMissing):
        bench.worker()
    assert {} == disk.locks


def test_a_decision_topic_that_holds_something_else_stops_with_the_place(bench):
    """A newer version may have written it; guessing what it meant would not be replay."""
    folded(bench, liked(1))
    bench.log.append(bench.service.decisions, b"k", b'{"kind":"unheard of"}', partition=0)

    with pytest.raises(Exception, match=r"bench\.decisions/0/0: found a record that is no dec"):
        bench.worker()


def test_decisions_are_read_again_until_all_of_them_are_decided(bench):
    """A dead owner's open transaction hides those behind it; to miss one would be to fold anew."""
    topic = bench.service.decisions
    decision = Decision(
        kind=DecisionKind.QUARANTINED, topic=INPUT, topic_id="i", partition=0, at=3, reason="r"
    )
    outgoing = decision.outgoing(topic)
    bench.log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        bench.log.transactions("dead").commit([outgoing], {}, None)
    bench.log.append(topic, outgoing.key, outgoing.value, partition=0)
    reader = bench.log.reader()

    class Late:
        """The transaction is aborted when the topic was read once."""

        position = reader.position

        def follow(self, *asked):
            for record in reader.follow(*asked):
                yield record
                bench.log.expire_transactions()

    decided = DecisionLog(topic, bench.log.admin(), Late())
    source = TopicPartition(INPUT, 0)

    found = decided.of({source: "i"}, Deadline.after(30))

    assert {3} == found[source].quarantined


def rows_of(rows, fold):
    return [key for key in rows if key.startswith(row_prefixes(fold))]
