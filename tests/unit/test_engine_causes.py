"""What results tell of their causes: the event that touched their key last."""

from __future__ import annotations

import uuid

import msgspec

from services.counters import SERVICE as COUNTERS
from tests.unit.engine_bench import COUNTS, Bench, home_of, liked, photos_on, posted, unliked

OTHER = photos_on((home_of(5).partition + 1) % 4, 1)[0]


def causes(bench, topic=COUNTS):
    """The causes of the results in a topic, by key, in the order they were written."""
    found = [(one.key, dict(one.headers).get("causation")) for one in bench.log.records(topic)]
    return [(key.decode(), cause and cause.decode()) for key, cause in found]


def known(event, number):
    """An event with an id, and the id as headers tell it."""
    event_id = uuid.UUID(int=number)
    return msgspec.structs.replace(event, event_id=event_id.bytes), str(event_id)


def test_a_result_says_which_event_touched_its_key_last(bench):
    """Whoever wonders at a count finds what changed it."""
    worker = bench.worker()
    (first, _), (last, cause) = known(liked(1), 1), known(unliked(2), 2)
    other, other_cause = known(liked(3, OTHER), 3)
    again, cause_again = known(liked(4), 4)
    bench.emit(first, other, last)
    worker.turn()
    worker.commit()
    bench.emit(again)

    worker.drain()

    expected = [("5", cause), ("5", cause_again), (str(OTHER), other_cause)]
    assert sorted(expected) == sorted(causes(bench))


def test_the_cause_of_a_parked_key_is_the_last_event_that_was_folded(bench):
    """What raised changed nothing."""
    (like, cause), (raising, _) = known(liked(1), 1), known(posted("raise"), 2)
    bench.emit(like, raising, liked(3))

    bench.worker().drain()

    assert [("5", cause)] == causes(bench)


def test_a_result_of_an_upsert_has_no_cause(tmp_path):
    """Upserts have no id; their own headers tell what they were made of."""
    bench = Bench(tmp_path, *COUNTERS.folds)
    like, cause = known(liked(3), 1)
    bench.emit(like)
    worker = bench.worker()

    worker.drain()

    upserts = causes(bench, "counters.contributions")
    assert ("9", cause) in upserts
    assert ("9", None) in causes(bench, "counters.users")
