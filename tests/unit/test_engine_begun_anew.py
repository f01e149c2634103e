"""A topic that was deleted and made again under folds that emit facts, and one that grew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.engine.reset import reset_state
from streams.engine.restore import find_offsets, restore_offsets
from streams.errors import InputError, TopicChanged
from tests.unit.engine_bench import INPUT, PARTITIONS, home_of, liked

SOURCE = home_of(5)


def folded(bench, *events):
    worker = bench.worker()
    bench.emit(*events)
    worker.drain()
    worker.stop()


@pytest.fixture
def made_again(bench_on_disk):
    """The topic has other records at the offsets that were folded."""
    bench = bench_on_disk
    folded(bench, liked(1), liked(2))
    bench.log.recreate_topic(INPUT)
    bench.log.drop_offsets("bench")
    bench.emit(liked(7), liked(8), liked(9))
    return bench


def begin_anew(bench):
    reset_state(bench.service, bench.log, bench.folders, [INPUT])


def test_it_is_begun_anew_with_the_command_that_is_named(made_again):
    """Nothing of it was ever folded, so no fact is emitted twice."""
    bench = made_again
    with pytest.raises(TopicChanged, match=f"`streams state reset bench --topic {INPUT}`"):
        bench.worker()

    begin_anew(bench)
    folded(bench)

    assert {"5": 3} == bench.counts()
    assert [1, 2, 7, 8, 9] == sorted(fact.user_id for fact in bench.facts())


def test_its_facts_have_ids_of_their_own(made_again):
    """Records of both topics stand at the same offsets; a reader that drops known ids keeps all."""
    begin_anew(made_again)
    folded(made_again)

    assert 5 == len({fact.event_id for fact in made_again.facts()})


def test_its_facts_keep_their_ids_through_a_crash(made_again):
    """What is emitted again after a failed transaction is the same fact."""
    bench = made_again
    begin_anew(bench)
    folded(bench)
    before = {fact.event_id for fact in bench.facts()}
    bench.log.drop_offsets("bench")
    restore_offsets(bench.service, bench.log, bench.folders)

    folded(bench, liked(10))

    ids = [fact.event_id for fact in bench.facts()]
    assert before < set(ids)
    assert len(before) + 1 == len(ids)


def test_lost_offsets_are_not_restored_from_what_was_made_of_the_old_topic(made_again):
    """They would skip records of today that nobody has folded."""
    bench = made_again
    begin_anew(bench)
    bench.log.drop_offsets("bench")

    found = find_offsets(bench.service, bench.log, bench.folders)

    assert {0} == {one.wanted for one in found}


def test_the_same_topic_is_not_begun_anew(bench_on_disk):
    """Its facts are there; a lost group does not make it another topic."""
    bench = bench_on_disk
    folded(bench, liked(1))
    bench.log.drop_offsets("bench")

    with pytest.raises(InputError, match="emit facts"):
        begin_anew(bench)


def test_added_partitions_that_are_declared_do_not_split_a_state(bench_on_disk, monkeypatch):
    """Keys go on elsewhere, and would be counted there from nothing."""
    bench = bench_on_disk
    folded(bench, liked(1))
    bench.log.add_partitions(INPUT, PARTITIONS + 2)
    topics = bench.service.catalog.topics
    monkeypatch.setitem(topics, INPUT, replace(topics[INPUT], partitions=PARTITIONS + 2))

    for step in (
        bench.worker,
        lambda: restore_offsets(bench.service, bench.log, bench.folders),
        lambda: begin_anew(bench),
    ):
        with pytest.raises(TopicChanged, match=f"found {PARTITIONS + 2} partitions of {INPUT}"):
            step()
