"""Folding a log again from its start, in place."""

from __future__ import annotations

import logging

import msgspec
import pytest

from schemas.demo import LikesCounted
from schemas.social import PhotoLiked
from streams import Fold
from streams.engine.reset import reset_state
from streams.engine.restore import find_offsets
from streams.errors import InputError, TopicChanged, TransactionFailed
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import COUNTS, INPUT, home_of, liked, service_of


class Fans(msgspec.Struct):
    """Who likes one photo."""

    users: set[int] = set()


def quiet_fold(version=1):
    """Counts likes and emits no facts; version 2 counts them twice."""
    fold = Fold("quiet", reads=INPUT, key="photo_id", state=Fans, version=version)

    @fold.on(PhotoLiked)
    def on_like(fans, event):
        fans.users.add(event.user_id)

    @fold.result(into=COUNTS)
    def count(photo_id, fans):
        return LikesCounted(photo_id=photo_id, likes=version * len(fans.users))

    return fold


def folded(bench):
    """Fold everything there is with one worker, and end it."""
    worker = bench.worker()
    worker.drain()
    worker.stop()


def test_a_new_version_folds_the_log_again(bench):
    """Results are published again; the old store is set aside, not mixed with the new state."""
    bench.declare(quiet_fold())
    bench.emit(liked(1), liked(2))
    folded(bench)
    bench.declare(quiet_fold(version=2))

    reset_state(bench.service, bench.log, bench.folders)
    folded(bench)

    assert {"5": 4} == bench.counts()


def test_the_old_store_after_a_reset_is_no_warning(bench, caplog):
    """It is what was asked for; a warning for each partition sounds like damage."""
    bench.declare(quiet_fold())
    bench.emit(liked(1))
    folded(bench)
    reset_state(bench.service, bench.log, bench.folders)

    with caplog.at_level(logging.INFO):
        folded(bench)

    told = [one for one in caplog.records if "set aside" in one.getMessage()]
    assert [] != told
    assert {"INFO"} == {one.levelname for one in told}
    assert all("the state was reset" in one.getMessage() for one in told)


def test_a_reset_says_that_a_log_does_not_reach_back(bench, caplog):
    """What its first records counted goes from the results, which somebody may not have known."""
    bench.declare(quiet_fold())
    bench.emit(liked(1), liked(2))
    folded(bench)
    bench.log.delete_records(home_of(5), before=1)

    reset_state(bench.service, bench.log, bench.folders)

    assert "action=log-cut" in caplog.text
    assert f"partition={home_of(5).partition} begins=1" in caplog.text


def test_folds_that_emit_facts_are_refused(bench):
    """Every fact would be appended a second time; nothing is changed."""
    bench.emit(liked(1))
    folded(bench)
    before = bench.committed(home_of(5))

    with pytest.raises(InputError, match="emit facts"):
        reset_state(bench.service, bench.log, bench.folders)

    assert before == bench.committed(home_of(5))


def test_a_running_worker_is_refused(bench):
    """Its offsets must not move under it."""
    bench.declare(quiet_fold())
    bench.emit(liked(1))
    worker = bench.worker()
    worker.drain()

    with pytest.raises(InputError, match=r"^bench: found running workers, wanted none: stop every"):
        reset_state(bench.service, bench.log, bench.folders)


def test_a_failure_that_says_nothing_of_workers_is_told_as_it_is(bench):
    """To stop workers that do not run helps nobody."""
    bench.declare(quiet_fold())
    bench.emit(liked(1))
    folded(bench)
    bench.log.fail_next_commit(CommitFault.BEFORE)

    with pytest.raises(TransactionFailed):
        reset_state(bench.service, bench.log, bench.folders)


def test_a_topic_that_is_not_read_is_refused(bench):
    """The message says which are."""
    with pytest.raises(InputError, match=r"does not read social\.users; it reads social\.photos"):
        reset_state(service_of(quiet_fold()), bench.log, bench.folders, ["social.users"])


@pytest.mark.parametrize("trace", ["store", "decisions"])
def test_a_topic_that_was_made_again_is_named_at_once_with_the_reset(bench_on_disk, trace):
    """The broker drops its offsets, and a restore of them would skip what came since."""
    bench = bench_on_disk
    bench.declare(quiet_fold())
    if trace == "decisions":
        bench.put(liked(3), value=b"rubbish")
    bench.emit(liked(1))
    folded(bench)
    bench.log.recreate_topic(INPUT)
    bench.log.drop_offsets("bench")
    bench.emit(*(liked(user, photo_id=5) for user in range(20, 30)))
    if trace == "decisions":
        bench.home = bench.home / "another host"
    told = f"found {INPUT} deleted and made again.*`streams state reset bench --topic {INPUT}`"

    with pytest.raises(TopicChanged, match=told):
        bench.worker()
    with pytest.raises(TopicChanged, match=told):
        find_offsets(bench.service, bench.log, bench.folders)
    reset_state(bench.service, bench.log, bench.folders, [INPUT])
    folded(bench)

    assert {"5": 10} == bench.counts()


def test_a_restore_after_that_reset_is_not_told_of_the_old_topic(bench_on_disk):
    """What was published is older than the topic; its offsets would skip records of today."""
    bench = bench_on_disk
    bench.declare(quiet_fold())
    bench.emit(liked(1))
    folded(bench)
    bench.log.recreate_topic(INPUT)
    bench.log.drop_offsets("bench")
    bench.emit(liked(2))
    reset_state(bench.service, bench.log, bench.folders)

    found = find_offsets(bench.service, bench.log, bench.folders)

    assert {0} == {one.wanted for one in found}


def test_of_a_log_that_ends_too_early_the_reset_is_named(bench, disk):
    """Without a store and decisions only the outputs tell that records are gone."""
    bench.declare(quiet_fold())
    bench.emit(liked(1))
    folded(bench)
    disk.rows.clear()
    bench.log.recreate_topic(INPUT)
    bench.log.drop_offsets("bench")

    with pytest.raises(TopicChanged, match=f"the log ends at 0.*state reset bench --topic {INPUT}"):
        find_offsets(bench.service, bench.log, bench.folders)
