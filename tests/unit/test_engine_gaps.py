"""Records that are gone before they were folded: a human accepts that, and the state goes on."""

from __future__ import annotations

import pytest

from streams.engine.decisions import DecisionKind
from streams.engine.restore import restore_offsets
from streams.errors import OffsetsMissing, TopicChanged
from tests.unit.engine_bench import home_of, liked

SOURCE = home_of(5)
RESTORE = "`streams offsets restore bench`"


def folded(bench, *events):
    worker = bench.worker()
    bench.emit(*events)
    worker.drain()
    worker.stop()


def emitted(bench):
    return sorted(fact.user_id for fact in bench.facts())


def restore(bench):
    return restore_offsets(bench.service, bench.log, bench.folders)


def cut(bench, before):
    bench.log.delete_records(SOURCE, before=before)


def test_a_worker_whose_next_records_are_gone_stops_with_their_number(bench):
    """To go on at the log's beginning would lose them in silence."""
    folded(bench, liked(1))
    bench.emit(liked(2), liked(3), liked(4))
    cut(bench, before=3)

    with pytest.raises(OffsetsMissing, match=f"begins at 3, wanted 1: .* 2 offsets.*{RESTORE}"):
        bench.worker()


def test_the_state_goes_on_behind_a_gap_that_was_accepted(bench, caplog):
    """What is left is counted on top of what was; the gap is on record, with its exact ends."""
    folded(bench, liked(1))
    bench.emit(liked(2), liked(3), liked(4))
    cut(bench, before=3)

    restored = restore(bench)
    folded(bench, liked(5))

    assert [range(1, 3)] == [one.gap for one in restored if one.gap]
    (skipped,) = bench.decisions()
    assert (DecisionKind.SKIPPED, SOURCE, 1, 2) == (
        skipped.kind, skipped.source, skipped.at, skipped.up_to,
    )  # fmt: skip
    assert {"5": 3} == bench.counts()
    assert [1, 4, 5] == emitted(bench)
    assert "they are never counted" in caplog.text


def test_a_crash_behind_a_gap_is_recovered_from(bench):
    """The newest checkpoint stands before it."""
    folded(bench, liked(1))
    bench.emit(liked(2), liked(3))
    cut(bench, before=2)
    restore(bench)
    worker = bench.worker()
    worker.drain()
    worker.crash()

    worker = bench.worker()
    worker.drain()

    assert {1, 3} == worker.state().users
    assert [1, 3] == emitted(bench)


def test_gaps_that_follow_each_other_are_passed_together(bench):
    """Retention went on while nobody worked."""
    folded(bench, liked(1))
    bench.emit(liked(2), liked(3))
    cut(bench, before=2)
    restore(bench)
    bench.emit(liked(4))
    cut(bench, before=3)
    restore(bench)

    folded(bench, liked(5))

    assert {"5": 3} == bench.counts()


def test_a_state_that_lacks_folded_records_is_not_taken_for_whole(bench):
    """Facts of them are published: to go on without them would count on something else."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    worker.checkpoint()
    bench.emit(liked(2))
    worker.drain()
    worker.crash()
    bench.emit(liked(3), liked(4))
    cut(bench, before=3)

    restore(bench)

    with pytest.raises(TopicChanged, match="begins at 3, but the newest state here is that of 1"):
        bench.worker()


def test_a_worker_at_work_whose_next_records_go_stops(bench):
    """The same, met in the middle: the command is the same."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    bench.emit(liked(2), liked(3))
    cut(bench, before=2)

    with pytest.raises(OffsetsMissing, match=f"retention or a deletion.*{RESTORE}"):
        worker.drain()


def test_a_first_start_has_no_gap(bench):
    """What was gone before the service existed is told by where folding began."""
    bench.emit(liked(1), liked(2))
    cut(bench, before=1)

    restored = restore(bench)

    assert [] == [one for one in restored if one.gap]
    assert [] == bench.decisions()
