"""What a service skips, for those who look after it."""

from __future__ import annotations

from streams.engine.skipped import find_skipped
from tests.unit.engine_bench import COUNTS, FACTS, INPUT, home_of, liked, posted


def skipped(bench):
    return find_skipped(bench.service.name, bench.log.admin(), bench.log.reader())


def test_parked_keys_and_quarantined_records_are_counted(bench):
    """By partition, as lag is."""
    worker = bench.worker()
    bench.emit(posted("raise"), posted("raise", 7), liked(1, 9))
    bench.put(liked(1), value=b"rubbish")

    worker.drain()

    found = skipped(bench)
    assert {5, 7} == {one.fold_key for one in found.parked}
    assert [(home_of(5), 1)] == [(one.source, one.at) for one in found.quarantined]
    assert 2 == sum(found.parked_by_source.values())
    assert 1 <= found.parked_by_source[home_of(7)]


def test_a_parked_key_is_known_where_its_result_is_published(bench):
    """The fold's facts are keyed by another field: the same number is another thing there."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"))

    worker.drain()

    found = skipped(bench)
    assert found.is_parked(COUNTS, "5")
    assert not found.is_parked(COUNTS, "7")
    assert not found.is_parked(FACTS, "5")


def test_a_key_that_is_decided_on_twice_counts_once(bench):
    """A new owner may have met the same raise."""
    worker = bench.worker()
    bench.emit(posted("raise"))
    worker.drain()
    (record,) = bench.log.records(bench.service.decisions)
    bench.log.append(bench.service.decisions, record.key, record.value, partition=0)

    assert 1 == len(skipped(bench).parked)


def test_what_was_decided_about_a_topic_that_is_gone_is_left_out(bench):
    """Nothing of it is skipped: its offsets mean other records."""
    worker = bench.worker()
    bench.emit(posted("raise"))
    worker.drain()
    worker.crash()

    bench.log.recreate_topic(INPUT)

    assert ((), ()) == (skipped(bench).parked, skipped(bench).quarantined)


def test_a_service_without_topics_skips_nothing(bench):
    """Before the first `topics apply`, or by a name that is none."""
    found = find_skipped("nobody", bench.log.admin(), bench.log.reader())

    assert ((), ()) == (found.parked, found.quarantined)
