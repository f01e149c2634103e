"""A missing committed offset is never read as 0: a first start is proven, else it stops."""

from __future__ import annotations

import pytest

from streams.clock import Deadline
from streams.engine.first_start import ensure_started
from streams.engine.progress import progress_of
from streams.engine.restore import restore_offsets
from streams.errors import ConfigurationError, OffsetsMissing, TopicChanged, TransactionFailed
from streams.ports.records import TopicPartition
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import (
    COUNTS,
    INPUT,
    PARTITIONS,
    Bench,
    home_of,
    liked,
    likes_fold,
    posted,
    service_of,
    shares_fold,
)

SOURCES = [TopicPartition(INPUT, number) for number in range(PARTITIONS)]


def start(bench):
    ensure_started(bench.service, bench.log, bench.folders, Deadline.after(5))


def worked(bench, *events):
    """A worker that folded these events, and ended."""
    worker = bench.worker()
    bench.emit(*events)
    worker.drain()
    worker.stop()


def test_a_first_start_commits_the_start_offsets_and_nothing_else(bench):
    """From then on a missing offset means loss, whatever else is missing."""
    bench.emit(liked(1))

    start(bench)

    assert [0] * PARTITIONS == [bench.committed(source).offset for source in SOURCES]
    assert [] == bench.log.records(COUNTS, committed=False)


def test_a_log_whose_first_records_are_gone_is_not_begun_unasked(bench):
    """Retention may have been at work before a service was written; its results lack what went."""
    bench.emit(liked(1), liked(2))
    bench.log.delete_records(home_of(5), before=1)

    with pytest.raises(TopicChanged, match=f"{home_of(5)} begins at 1.*offsets restore bench"):
        start(bench)

    assert bench.committed(home_of(5)) is None


def test_a_log_whose_first_records_are_gone_is_begun_when_asked(bench, caplog):
    """What is left is folded, and what that means was said; its first offset is the origin."""
    bench.emit(liked(1), liked(2))
    bench.log.delete_records(home_of(5), before=1)

    restore_offsets(bench.service, bench.log, bench.folders)
    committed = bench.committed(home_of(5))
    bench.worker().drain()

    assert (1, 1) == (committed.offset, progress_of(home_of(5), committed, "bench").origin)
    assert {"5": 1} == bench.counts()
    assert 1 == caplog.text.count("results count only what it still holds")
    assert f"topic={INPUT} partition={home_of(5).partition} begins=1" in caplog.text


def test_a_second_start_changes_nothing(bench):
    """Every worker asks at its start."""
    start(bench)
    before = [bench.committed(source) for source in SOURCES]

    start(bench)

    assert before == [bench.committed(source) for source in SOURCES]


def test_a_group_that_was_deleted_while_a_store_exists_is_refused(bench_on_disk):
    """Beginning at 0 would count everything twice."""
    bench = bench_on_disk
    bench.declare(shares_fold())
    worked(bench, liked(1))
    bench.log.drop_offsets("bench")

    with pytest.raises(OffsetsMissing, match=r"found state in .*streams offsets restore bench"):
        start(bench)


@pytest.mark.parametrize("event", [liked(1), posted("raise")], ids=["outputs", "decisions"])
def test_a_group_that_was_deleted_after_it_published_is_refused(bench, disk, event):
    """The state folder of another host is not here, but what it wrote is."""
    worked(bench, event)
    disk.rows.clear()
    bench.log.drop_offsets("bench")

    with pytest.raises(OffsetsMissing, match=r"found records in .*streams offsets restore bench"):
        start(bench)


def test_a_new_name_is_not_taken_for_a_lost_group(bench):
    """Its topics hold what another service wrote; what to do depends on why."""
    worked(bench, liked(1))
    bench.service = service_of(name="renamed")
    for topic in (bench.service.quarantine, bench.service.decisions):
        bench.log.create_topic(topic, 1)

    with pytest.raises(OffsetsMissing, match=r"another service wrote them.*new name.*restore ren"):
        start(bench)


def test_what_only_the_service_itself_writes_tells_a_lost_group(bench, disk):
    """Then there is no other cause to speak of."""
    worked(bench, liked(1), posted("raise"))
    disk.rows.clear()
    bench.log.drop_offsets("bench")

    with pytest.raises(OffsetsMissing, match=r"bench\.decisions.*the group: it was deleted"):
        start(bench)


def test_a_renamed_service_goes_on_where_the_old_one_ended(bench):
    """As the message says: nothing is counted or published twice."""
    bench.emit(liked(1))
    worker = bench.worker()
    worker.drain()
    worker.stop()
    before = bench.results(), len(bench.facts())
    bench.service = service_of(name="renamed")
    for topic in (bench.service.quarantine, bench.service.decisions):
        bench.log.create_topic(topic, 1)

    restore_offsets(bench.service, bench.log, bench.folders)
    worker = bench.worker()
    worker.drain()
    after = bench.results(), len(bench.facts())
    bench.emit(liked(2))
    worker.drain()

    assert before == after
    assert {"5": 2} == bench.counts()


def test_a_group_that_was_deleted_after_it_only_quarantined_is_refused(bench, disk):
    """The quarantine topic is an output like any other."""
    worker = bench.worker()
    bench.put(liked(1), value=b"rubbish")
    worker.drain()
    worker.stop()
    disk.rows.clear()
    bench.log.drop_offsets("bench")
    bench.log.recreate_topic(bench.service.decisions)

    with pytest.raises(OffsetsMissing, match=r"found records in bench\.quarantine"):
        start(bench)


def test_outputs_of_an_aborted_transaction_count_as_outputs(bench):
    """They prove that a worker was there, whose offsets are gone."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    bench.log.fail_next_commit(CommitFault.BEFORE)
    worker.commit()
    worker.crash()
    bench.log.expire_transactions()
    bench.log.drop_offsets("bench")

    assert [] == bench.log.records(COUNTS)
    with pytest.raises(OffsetsMissing):
        start(bench)


def test_some_partitions_without_an_offset_are_refused(bench):
    """Whatever removed those offsets, 0 is not where they were."""
    start(bench)
    bench.log._broker.group("bench").positions.pop(SOURCES[2])

    with pytest.raises(OffsetsMissing, match=f"{INPUT}/2.*streams offsets restore bench"):
        start(bench)


def test_a_group_that_was_deleted_before_anything_was_done_starts_anew(bench):
    """No offset, no state, no output: nothing can be counted twice."""
    start(bench)
    bench.log.drop_offsets("bench")

    start(bench)

    assert 0 == bench.committed(SOURCES[0]).offset


def test_a_start_whose_answer_is_lost_is_found_done(bench):
    """The transaction happened: there is one generation, not two."""
    bench.log.fail_next_commit(CommitFault.AFTER)

    start(bench)

    notes = {progress_of(one, bench.committed(one), "bench").generation for one in SOURCES}
    assert 1 == len(notes)


def test_a_start_that_failed_is_tried_again(bench):
    """A coordinator that moves is no reason to stop."""
    bench.log.fail_next_commit(CommitFault.BEFORE)

    start(bench)

    assert 0 == bench.committed(SOURCES[0]).offset


def test_a_worker_that_lost_the_race_goes_on_beside_one_that_already_folds(tmp_path):
    """The broker refuses start offsets from outside a group that has members."""
    bench = Bench(tmp_path)
    transactions = bench.log.transactions
    workers = []

    def overtaken(transactional_id, deadline=None):
        producer = transactions(transactional_id, deadline)
        if not workers:
            workers.append(None)
            bench.emit(liked(1))
            workers[0] = bench.worker()
            workers[0].drain()
        return producer

    bench.log.transactions = overtaken
    start(bench)
    workers[0].drain()

    assert {"5": 1} == bench.counts()


def test_a_start_that_others_take_again_and_again_is_tried_again_by_the_next_process(bench):
    """Nobody has to decide anything: the offsets are there, or soon will be."""
    transactions = bench.log.transactions

    def overtaken(transactional_id, deadline=None):
        producer = transactions(transactional_id, deadline)
        transactions(transactional_id, deadline)
        return producer

    bench.log.transactions = overtaken

    with pytest.raises(TransactionFailed, match="at the same time"):
        ensure_started(bench.service, bench.log, bench.folders, Deadline.after(0))


def test_a_topic_that_is_missing_is_named_with_the_command_that_makes_it(bench):
    """Before anything is committed or folded."""
    bench.log.delete_topic(COUNTS)

    with pytest.raises(ConfigurationError, match=f"{COUNTS}; run `streams topics apply`"):
        start(bench)


def test_a_topic_with_another_partition_count_is_refused(bench):
    """The keys would stand elsewhere than the catalog says."""
    bench.log.add_partitions(INPUT, PARTITIONS + 1)

    with pytest.raises(TopicChanged, match=f"found {PARTITIONS + 1} partitions"):
        start(bench)


def test_offsets_that_vanish_under_a_running_group_stop_whoever_opens_a_partition(bench):
    """The check at the start cannot see them go later."""
    first, second = bench.worker(), bench.worker(slot=1)
    bench.log.drop_offsets("bench")
    first.turn()

    with pytest.raises(OffsetsMissing, match="streams offsets restore bench"):
        second.turn()


def test_more_folds_than_the_note_beside_an_offset_can_name_are_refused(bench):
    """A broker refuses notes over 4,096 bytes, and only when the first commit comes."""
    bench.declare(*(likes_fold(name=f"likes_{number:090}") for number in range(1)))
    long = [shares_fold() for _ in range(45)]
    for number, fold in enumerate(long):
        fold.name = f"shares_{number:090}"
    bench.declare(*long)

    with pytest.raises(ConfigurationError, match="found 45 folds over one topic"):
        start(bench)
