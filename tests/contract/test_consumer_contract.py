"""What every `Consumer` does: committed records only, stable positions, rebalances inside poll."""

from __future__ import annotations

import pytest

from streams.clock import Deadline
from streams.errors import (
    BrokerUnavailable,
    OffsetsMissing,
    PositionGone,
    StreamsError,
    TopicGone,
)
from streams.ports.records import Committed, Outgoing, TopicPartition
from tests.contract.logs import Log
from tests.contract.reading import WAIT, Reading

P0 = TopicPartition("likes", 0)
P1 = TopicPartition("likes", 1)


def test_a_record_arrives_whole(log: Log):
    """Decoding, routing and decisions need every part of it."""
    log.create_topic("likes", 1)
    log.append("likes", b"5", b"liked", [("source", b"a/0/1"), ("producer", b"me")])
    log.append("likes", b"5", None)
    reading = Reading(log.consumer("g"), "likes")

    reading.poll_until(lambda: len(reading.records) == 2)

    first, second = reading.records
    assert (("likes", 0, 0), b"5", b"liked") == (
        (first.topic, first.partition, first.offset),
        first.key,
        first.value,
    )
    assert (("source", b"a/0/1"), ("producer", b"me")) == first.headers
    assert (1, None, ()) == (second.offset, second.value, second.headers)


def test_an_aborted_transaction_is_never_read(log: Log):
    """Exactly-once of what we consume begins with what we do not see."""
    log.create_topic("likes", 1)
    unjoined = log.consumer("w").member()
    log.leave_open("t", [Outgoing("likes", b"5", b"aborted")] * 3, {}, unjoined)
    log.transactions("t").commit([Outgoing("likes", b"5", b"committed")], {}, unjoined)
    reading = Reading(log.consumer("g"), "likes")

    reading.poll_until(lambda: P0 in reading.ends)

    assert [b"committed"] == reading.values
    assert [4] == reading.offsets


def test_an_open_transaction_holds_back_what_follows_it(log: Log):
    """Reading past it would be reading out of order if it commits."""
    log.create_topic("likes", 1)
    log.append("likes", b"5", b"before")
    log.leave_open("t", [Outgoing("likes", b"5", b"open")], {}, log.consumer("w").member())
    log.append("likes", b"5", b"after")
    reading = Reading(log.consumer("g"), "likes")

    reading.poll_until(lambda: P0 in reading.ends)

    assert [b"before"] == reading.values
    assert {P0: 1} == reading.ends


def test_the_end_lies_past_transaction_markers(log: Log):
    """A position that stops before the marker never equals the end: lag would stay above 0."""
    log.create_topic("likes", 1)
    producer, unjoined = log.transactions("t"), log.consumer("w").member()
    producer.commit([Outgoing("likes", b"5", b"a"), Outgoing("likes", b"6", b"b")], {}, unjoined)
    producer.commit([Outgoing("likes", b"5", b"c")], {}, unjoined)
    reading = Reading(log.consumer("g"), "likes")

    reading.poll_until(lambda: P0 in reading.ends)

    assert [0, 1, 3] == reading.offsets
    assert {P0: 5} == reading.ends
    assert log.admin().ends([P0]) == reading.ends


def test_the_end_is_told_again_when_only_markers_came(log: Log):
    """An idle partition's position moves past aborted records too."""
    log.create_topic("likes", 1)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: reading.ends == {P0: 0})
    log.leave_open("t", [Outgoing("likes", b"5", b"aborted")], {}, log.consumer("w").member())
    log.transactions("t")

    reading.poll_until(lambda: reading.ends == {P0: 2})

    assert [] == reading.records


def test_the_end_is_told_after_more_records(log: Log):
    """Each time a partition goes idle its position is committed."""
    log.create_topic("likes", 1)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: reading.ends == {P0: 0})
    log.append("likes", b"5", b"a")
    reading.poll_until(lambda: reading.ends == {P0: 1})
    log.append("likes", b"5", b"b")

    reading.poll_until(lambda: reading.ends == {P0: 2})

    assert [b"a", b"b"] == reading.values


def test_small_polls_bring_everything_in_order(log: Log):
    """The bound on a poll must not cost a record."""
    log.create_topic("likes", 2)
    for number in range(50):
        log.append("likes", b"5", str(number).encode(), partition=number % 2)
    reading = Reading(log.consumer("g"), "likes")

    for _ in range(500):
        if reading.ends == {P0: 25, P1: 25}:
            break
        reading.poll(max_records=3)

    for partition in (0, 1):
        own = [int(one.value or b"") for one in reading.records if one.partition == partition]
        assert list(range(partition, 50, 2)) == own


def test_a_seek_reads_again_from_there(log: Log):
    """After a failed transaction the same records are folded again."""
    log.create_topic("likes", 1)
    for value in (b"a", b"b", b"c"):
        log.append("likes", b"5", value)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: P0 in reading.ends)
    reading.ends.clear()
    reading.records.clear()

    reading.consumer.seek(P0, 1)
    reading.poll_until(lambda: P0 in reading.ends)

    assert [b"b", b"c"] == reading.values
    assert {P0: 3} == reading.ends


def test_a_seek_of_a_partition_that_is_not_assigned_is_refused(log: Log):
    """Silence would leave the caller waiting for records that never come."""
    log.create_topic("likes", 1)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: P0 in reading.ends)

    with pytest.raises(StreamsError, match="likes/7"):
        reading.consumer.seek(TopicPartition("likes", 7), 1)


def test_assigned_partitions_can_start_where_the_group_stands(log: Log):
    """Positions are asked for inside the callback, where the owner is decided."""
    log.create_topic("likes", 1)
    for value in (b"a", b"b", b"c"):
        log.append("likes", b"5", value)
    consumer = log.consumer("g")
    log.transactions("t").commit([], {P0: Committed(2)}, consumer.member())
    found: dict[TopicPartition, Committed | None] = {}
    reading = Reading(consumer, "likes", start=2)
    reading.on_assigned = lambda: found.update(consumer.committed([P0], Deadline.after(20)))

    reading.poll_until(lambda: P0 in reading.ends)

    assert {P0: Committed(2)} == found
    assert [b"c"] == reading.values


def test_a_group_without_offsets_has_none_committed(log: Log):
    """None is not 0: a missing position stops a worker instead of starting it over."""
    log.create_topic("likes", 2)

    found = log.consumer("g").committed([P0, P1], Deadline.after(20))

    assert {P0: None, P1: None} == found


@pytest.mark.parametrize("metadata", ["", "generation 3", "m" * 4_095])
def test_a_committed_position_keeps_its_metadata(log: Log, metadata: str):
    """Fold versions and the transaction counter live there."""
    log.create_topic("likes", 2)
    consumer = log.consumer("g")
    log.transactions("t").commit([], {P0: Committed(7, metadata)}, consumer.member())

    found = consumer.committed([P0, P1], Deadline.after(20))

    assert {P0: Committed(7, metadata), P1: None} == found


def test_committed_positions_wait_for_a_dead_owners_transaction(log: Log):
    """Reading past an open transaction could fold its records twice."""
    log.create_topic("likes", 1)
    consumer = log.consumer("g")
    log.transactions("t").commit([], {P0: Committed(3)}, consumer.member())
    log.leave_open("t", [Outgoing("likes", b"5", b"x")], {P0: Committed(9)}, consumer.member())

    with pytest.raises(BrokerUnavailable):
        consumer.committed([P0], Deadline.after(1))
    log.transactions("t")

    assert {P0: Committed(3)} == consumer.committed([P0], Deadline.after(20))


def test_a_member_has_a_generation_once_it_joined(log: Log):
    """-1 is what a broker accepts unfenced, so it must be told apart."""
    log.create_topic("likes", 1)
    consumer = log.consumer("g")
    before = consumer.member()
    reading = Reading(consumer, "likes")

    reading.poll_until(lambda: bool(reading.owned))

    assert before.generation == -1
    assert reading.member.generation >= 0


def test_two_members_share_and_a_departure_hands_over(log: Log):
    """One partition has one owner, and none is left without."""
    log.create_topic("likes", 4)
    every = {TopicPartition("likes", number) for number in range(4)}
    first = Reading(log.consumer("g"), "likes")
    first.poll_until(lambda: first.owned == every)
    second = Reading(log.consumer("g"), "likes")

    first.poll_until(lambda: len(second.owned) == 2 == len(first.owned), second)
    assert every == first.owned | second.owned
    assert "revoked" in first.calls
    second.consumer.close()
    first.poll_until(lambda: first.owned == every)

    assert second.owned == set()
    assert second.calls[-1] == "revoked"


def test_a_member_without_partitions_is_not_called(log: Log):
    """More workers than partitions is no event for the spare one."""
    log.create_topic("likes", 1)
    first = Reading(log.consumer("g"), "likes")
    first.poll_until(lambda: bool(first.owned))
    second = Reading(log.consumer("g"), "likes")
    second.poll_until(lambda: second.consumer.member().generation >= 0, first)
    first.poll_until(lambda: len(first.owned | second.owned) == 1, second)
    spare = second if first.owned else first
    spare.calls.clear()

    for _ in range(5):
        spare.poll()

    assert [] == spare.calls


def test_what_the_leaving_owner_commits_is_where_the_next_one_starts(log: Log):
    """`revoked` is the last chance, and it must count."""
    log.create_topic("likes", 1)
    log.append("likes", b"5", b"a")
    producer = log.transactions("t")
    first = Reading(log.consumer("g"), "likes")
    first.on_revoked = lambda: producer.commit([], {P0: Committed(1, "m")}, first.member)
    first.poll_until(lambda: P0 in first.ends)
    first.consumer.close()

    found = log.consumer("g").committed([P0], WAIT)

    assert {P0: Committed(1, "m")} == found


def fail() -> None:
    """What a worker that must stop does inside a callback."""
    raise OffsetsMissing("as the worker would")


def test_what_assigned_raises_comes_out_of_poll(log: Log):
    """A half-done take-over must stop the worker, not vanish in a callback."""
    log.create_topic("likes", 2)
    reading = Reading(log.consumer("g"), "likes")
    reading.on_assigned = fail

    with pytest.raises(OffsetsMissing, match="as the worker would"):
        reading.poll_until(lambda: len(reading.records) == 2)


def test_what_revoked_raises_comes_out_of_poll(log: Log):
    """A last commit that failed must not look like a clean hand-over."""
    log.create_topic("likes", 2)
    first = Reading(log.consumer("g"), "likes")
    first.poll_until(lambda: len(first.owned) == 2)
    first.on_revoked = fail
    second = Reading(log.consumer("g"), "likes")

    with pytest.raises(OffsetsMissing, match="as the worker would"):
        first.poll_until(lambda: len(second.owned) == 2, second)
    first.on_revoked = lambda: None  # closing must not fail too


def test_what_a_listener_raises_while_closing_comes_out_too(log: Log):
    """A failed last commit is not a clean end."""
    log.create_topic("likes", 1)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: bool(reading.owned))
    reading.on_revoked = fail

    with pytest.raises(OffsetsMissing, match="as the worker would"):
        reading.consumer.close()


def test_closing_twice_is_fine(log: Log):
    """Errors on the way down close what is closed already."""
    log.create_topic("likes", 1)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: bool(reading.owned))
    reading.consumer.close()

    reading.consumer.close()

    assert ["assigned", "revoked"] == reading.calls


def test_a_position_that_retention_removed_stops_the_consumer(log: Log):
    """Going on at the start or the end would skip or repeat in silence."""
    log.create_topic("likes", 1)
    for _ in range(5):
        log.append("likes", b"5", b"a")
    log.delete_records(P0, 3)
    reading = Reading(log.consumer("g"), "likes", start=1)

    with pytest.raises(PositionGone, match="likes/0"):
        reading.poll_until(lambda: bool(reading.records))


def test_a_position_past_the_end_stops_the_consumer(log: Log):
    """It belongs to another log: the topic was recreated or cut."""
    log.create_topic("likes", 1)
    log.append("likes", b"5", b"a")
    reading = Reading(log.consumer("g"), "likes", start=5)

    with pytest.raises(PositionGone, match="likes/0"):
        reading.poll_until(lambda: bool(reading.records))


def test_a_missing_topic_stops_the_consumer(log: Log):
    """Waiting for it in silence looks like having caught up."""
    reading = Reading(log.consumer("g"), "likes")

    with pytest.raises(TopicGone, match="likes"):
        reading.poll_until(lambda: bool(reading.records))


def test_a_topic_that_goes_away_stops_the_consumer(log: Log):
    """Its positions mean nothing any more."""
    log.create_topic("likes", 1)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: P0 in reading.ends)
    log.delete_topic("likes")

    with pytest.raises(TopicGone, match="likes"):
        reading.poll_until(lambda: bool(reading.records))
