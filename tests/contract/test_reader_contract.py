"""What every `LogReader` does: committed records from given offsets to the ends as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from streams.clock import Deadline
from streams.errors import NotFound
from streams.ports.records import Outgoing, Record, TopicPartition
from tests.contract.kafka_log import WAIT_S
from tests.contract.logs import Log

P0 = TopicPartition("likes", 0)
P1 = TopicPartition("likes", 1)


def test_a_reader_reads_each_partition_from_its_start(log: Log):
    """Recovery and views begin at different offsets in each partition."""
    log.create_topic("likes", 2)
    for number in range(6):
        log.append("likes", b"5", str(number).encode(), [("h", b"1")], number % 2)

    found = list(log.reader().read({P0: 1, P1: 2}))

    values = {p: [one.value for one in found if one.partition == p] for p in (0, 1)}
    assert {0: [b"2", b"4"], 1: [b"5"]} == values
    assert {(("h", b"1"),)} == {one.headers for one in found}


def test_a_reader_ends_where_everything_was_read(log: Log):
    """An empty range is no wait."""
    log.create_topic("likes", 2)
    log.append("likes", b"5", b"a", partition=0)

    assert [] == list(log.reader().read({P0: 1, P1: 0}))


def test_reading_nothing_brings_nothing(log: Log):
    """A service without state has no partition to read."""
    assert [] == list(log.reader().read({}))


def test_a_reader_reads_twice(log: Log):
    """One reader serves one recovery after another."""
    log.create_topic("likes", 2)
    log.append("likes", b"5", b"a", partition=0)
    log.append("likes", b"5", b"b", partition=1)
    reader = log.reader()

    first, second = list(reader.read({P0: 0})), list(reader.read({P0: 0, P1: 0}))

    assert [b"a"] == [record.value for record in first]
    assert [b"a", b"b"] == sorted(record.value for record in second)


def test_a_reader_that_was_left_half_way_reads_again(log: Log):
    """Whoever finds what it wants stops reading."""
    log.create_topic("likes", 1)
    for value in (b"a", b"b", b"c"):
        log.append("likes", b"5", value)
    reader = log.reader()
    half = iter(reader.read({P0: 0}))

    first = next(half)
    rest = list(reader.read({P0: 1}))

    assert b"a" == first.value
    assert [b"b", b"c"] == [record.value for record in rest]


def test_a_reader_passes_over_markers_and_aborted_records(log: Log):
    """What was never committed never happened."""
    log.create_topic("likes", 1)
    member = log.consumer("g").member()
    log.leave_open("t", [Outgoing("likes", b"5", b"aborted")], {}, member)
    producer = log.transactions("t")
    producer.commit([Outgoing("likes", b"5", b"a")], {}, member)
    producer.commit([Outgoing("likes", b"5", b"b")], {}, member)

    found = list(log.reader().read({P0: 0}))

    assert [(2, b"a"), (4, b"b")] == [(record.offset, record.value) for record in found]


def test_a_start_inside_markers_reads_what_follows(log: Log):
    """Committed positions point past markers, or at them."""
    log.create_topic("likes", 1)
    producer, member = log.transactions("t"), log.consumer("g").member()
    producer.commit([Outgoing("likes", b"5", b"a")], {}, member)
    producer.commit([Outgoing("likes", b"5", b"b")], {}, member)

    assert [b"b"] == [record.value for record in log.reader().read({P0: 1})]
    assert [] == list(log.reader().read({P0: 4}))


def test_the_position_ends_past_markers(log: Log):
    """Whoever reads on later starts there, and lag is measured against the same end."""
    log.create_topic("likes", 2)
    log.transactions("t").commit(
        [Outgoing("likes", b"5", b"a", (), 0)], {}, log.consumer("g").member()
    )
    reader = log.reader()

    list(reader.read({P0: 0, P1: 0}))

    assert {P0: 2, P1: 0} == {one: reader.position(one) for one in (P0, P1)}


def test_a_reader_stops_at_an_open_transaction(log: Log):
    """It must not wait for an owner that may be dead."""
    log.create_topic("likes", 1)
    log.append("likes", b"5", b"a")
    log.leave_open("t", [Outgoing("likes", b"5", b"open")], {}, log.consumer("g").member())
    log.append("likes", b"5", b"b")

    assert [b"a"] == [record.value for record in log.reader().read({P0: 0})]


def test_a_start_of_0_is_the_oldest_record_still_there(log: Log):
    """A view of a topic with retention begins where the topic does."""
    log.create_topic("likes", 1)
    for value in (b"a", b"b", b"c"):
        log.append("likes", b"5", value)
    log.delete_records(P0, 2)

    assert [b"c"] == [record.value for record in log.reader().read({P0: 0})]


@pytest.mark.parametrize("start", [1, 9])
def test_a_start_outside_the_log_is_not_found(log: Log, start: int):
    """Reading on from elsewhere would leave a gap nobody sees."""
    log.create_topic("likes", 1)
    for value in (b"a", b"b", b"c"):
        log.append("likes", b"5", value)
    log.delete_records(P0, 2)

    with pytest.raises(NotFound, match="likes/0"):
        list(log.reader().read({P0: start}))


@pytest.mark.parametrize("missing", [TopicPartition("nowhere", 0), TopicPartition("likes", 7)])
def test_a_missing_partition_is_not_found(log: Log, missing: TopicPartition):
    """A wrong name must not look like an empty topic."""
    log.create_topic("likes", 1)

    with pytest.raises(NotFound, match=str(missing)):
        list(log.reader().read({missing: 0}))


def test_a_reader_follows_what_comes(log: Log):
    """A worker looks for news in each of its rounds, and must not wait for them."""
    log.create_topic("likes", 1)
    log.append("likes", b"5", b"a")
    reader = log.reader()
    news = reader.follow({P0: 0}, 0.0)

    first = follow_to(news, 1)
    log.append("likes", b"5", b"b")
    log.append("likes", b"5", b"c")
    more = follow_to(news, 2)

    assert ([b"a"], [b"b", b"c"]) == (first, more)


def test_a_reader_that_follows_says_how_far_it_is_past_markers(log: Log):
    """Whoever waits for all that was decided waits for that end, and not for a record."""
    log.create_topic("likes", 1)
    producer, member = log.transactions("t"), log.consumer("g").member()
    reader = log.reader()
    news = reader.follow({P0: 0}, 0.0)
    producer.commit([Outgoing("likes", b"5", b"a")], {}, member)

    found = follow_to(news, 1)
    until(lambda: next(news) is None and reader.position(P0) == 2)
    log.leave_open("t2", [Outgoing("likes", b"5", b"never")], {}, member)
    log.transactions("t2")
    until(lambda: next(news) is None and reader.position(P0) == 4)

    assert [b"a"] == found


def test_a_reader_that_follows_waits_for_an_open_transaction(log: Log):
    """What stands behind it may be older than what it brings."""
    log.create_topic("likes", 1)
    log.leave_open("t", [Outgoing("likes", b"5", b"open")], {}, log.consumer("g").member())
    log.append("likes", b"5", b"b")
    reader = log.reader()
    news = reader.follow({P0: 0}, 0.2)

    before = next(news)
    log.transactions("t")

    assert before is None
    assert [b"b"] == follow_to(news, 1)


def follow_to(news: Iterator[Record | None], count: int) -> list[bytes | None]:
    """The next values."""
    found: list[Record] = []

    def has_come() -> bool:
        record = next(news)
        found.extend([] if record is None else [record])
        return len(found) == count

    until(has_come)
    return [record.value for record in found]


def until(is_so: Callable[[], bool]) -> None:
    """Return when `is_so`, which is asked again and again."""
    deadline = Deadline.after(WAIT_S)
    while not is_so():
        assert not deadline.is_over, f"not within {WAIT_S:g} s"
        deadline.pause(0.01)
