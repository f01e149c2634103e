"""Which offsets are right for a group that has lost its own."""

from __future__ import annotations

import pytest

from streams.engine.group_offsets import write_offsets
from streams.engine.restore import find_offsets, restore_offsets
from streams.errors import TopicChanged
from streams.ports.records import Committed
from streams.state.checkpoint import CheckpointMeta, write_checkpoint
from tests.unit.engine_bench import FACTS, home_of, liked, shares_fold

SOURCE = home_of(5)


def leave_store(bench, *, offset, topic_id):
    """A checkpoint of an earlier worker, without states."""
    folder = bench.folders.take(bench.service.name, SOURCE)
    store = folder.store()
    write_checkpoint(store, CheckpointMeta(offset, "gone", {"likes": 1}, topic_id), [])
    store.close()
    folder.release()


def topic_id(bench):
    return bench.log.admin().topics([SOURCE.topic])[SOURCE.topic].topic_id


def wanted(bench):
    found = {one.source: one for one in find_offsets(bench.service, bench.log, bench.folders)}
    return found[SOURCE].wanted


def test_the_offset_is_behind_the_last_one_that_was_published(bench):
    """All that stands below it is in the outputs."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2), liked(3, photo_id=5))
    worker.drain()
    worker.stop()
    bench.log.drop_offsets(bench.service.name)

    assert 3 == wanted(bench)


def test_a_store_shows_offsets_that_published_nothing(bench):
    """Events that change no result leave their trace in the checkpoint alone."""
    bench.emit(liked(1), liked(2))
    leave_store(bench, offset=2, topic_id=topic_id(bench))

    assert 2 == wanted(bench)


def test_what_was_made_of_records_that_are_gone_stops(bench):
    """An offset beyond the end would skip the records that come next."""
    leave_store(bench, offset=2, topic_id=topic_id(bench))

    with pytest.raises(TopicChanged, match="up to 2, but the log ends at 0"):
        wanted(bench)


def test_a_store_of_a_topic_made_anew_says_nothing(bench):
    """Its offsets are those of records that are gone; what came since would be skipped."""
    leave_store(bench, offset=2, topic_id=topic_id(bench))
    bench.log.recreate_topic(SOURCE.topic)

    assert 0 == wanted(bench)


@pytest.mark.parametrize(
    "headers",
    [(), [("source", b"somewhere")], [("source", None)]],
    ids=["no source", "none of ours", "null"],
)
def test_records_that_no_worker_wrote_are_passed_over(bench, headers, caplog):
    """A facts topic is never compacted: one such record would be in the way for good."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    worker.stop()
    bench.log.drop_offsets(bench.service.name)
    for _ in range(2):
        bench.log.append(FACTS, b"3", b"rubbish", headers)

    found = wanted(bench)

    assert 2 == found
    (told,) = [one.getMessage() for one in caplog.records if "passed over" in one.getMessage()]
    assert f"topic={FACTS} records=2" in told


def test_a_log_cut_since_does_not_pass_for_a_whole_one(bench, disk):
    """Without note and store nobody knows what the results were made of."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    worker.stop()
    disk.rows.clear()
    bench.log.drop_offsets(bench.service.name)
    bench.log.delete_records(SOURCE, before=1)

    restore_offsets(bench.service, bench.log, bench.folders)

    with pytest.raises(TopicChanged, match="made again from 0"):
        bench.worker()


def test_where_folding_once_began_is_kept(bench_on_disk):
    """A store knows its line of descent, the note beside the offset knows its beginning."""
    bench = bench_on_disk
    bench.declare(shares_fold())
    bench.emit(liked(1), liked(2), liked(3))
    bench.log.delete_records(SOURCE, before=1)
    restore_offsets(bench.service, bench.log, bench.folders)
    worker = bench.worker()
    worker.drain()
    worker.stop()
    bench.log.delete_records(SOURCE, before=2)

    restored = restore_offsets(bench.service, bench.log, bench.folders)

    assert [1] == [one.progress.origin for one in restored if one.source == SOURCE]


def test_what_is_read_is_reported(bench):
    """It reads everything a service ever published, and somebody waits for it."""
    bench.emit(liked(1), liked(2))
    worker = bench.worker()
    worker.drain()
    worker.stop()
    published = sum(len(bench.log.records(one.name)) for one in bench.service.output_topics)
    heard = []

    find_offsets(bench.service, bench.log, bench.folders, lambda *one: heard.append(one))

    assert published > 0
    assert [(read, total >= read) for read, total in heard] == [(published, True)]


def test_a_position_beyond_the_end_has_not_caught_up(bench):
    """`--until-caught-up` would end well before any worker looked at it."""
    bench.worker().stop()
    caught_up = bench.is_caught_up()
    note = bench.committed(SOURCE).metadata

    write_offsets(bench.service, bench.log, {SOURCE: Committed(7, note)})

    assert caught_up
    assert not bench.is_caught_up()
