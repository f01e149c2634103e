"""What every `TransactionalProducer` does: outputs and positions together, or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.clock import Deadline
from streams.errors import Fenced, TransactionFailed
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.topics.partitioner import partition_of
from tests.contract.logs import Log
from tests.contract.reading import Reading

P0 = TopicPartition("likes", 0)
SOON_S = 20


def test_outputs_arrive_whole_and_in_order(log: Log):
    """Results carry their cause in headers, and tombstones are values too."""
    log.create_topic("counts", 1)
    outputs = [
        Outgoing("counts", b"5", b"1", [("source", b"likes/0/1"), ("causation", b"x")]),
        Outgoing("counts", b"5", None),
    ]

    log.transactions("t").commit(outputs, {}, log.consumer("g").member())

    first, second = log.records("counts")
    assert (b"5", b"1") == (first.key, first.value)
    assert (("source", b"likes/0/1"), ("causation", b"x")) == first.headers
    assert (b"5", None, ()) == (second.key, second.value, second.headers)


def test_outputs_and_positions_are_committed_together(log: Log):
    """The pair is what makes one event count once."""
    log.create_topic("likes", 1)
    log.create_topic("counts", 2)
    log.append("likes", b"5", b"liked")
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: P0 in reading.ends)
    outputs = [Outgoing("counts", b"5", b"1", (), number) for number in range(2)]

    log.transactions("t").commit(outputs, {P0: Committed(1, "g1")}, reading.member)

    assert [0, 1] == [record.partition for record in log.records("counts")]
    found = reading.consumer.committed([P0], Deadline.after(SOON_S))
    assert {P0: Committed(1, "g1")} == found


def test_one_producer_commits_many_times(log: Log):
    """Each commit interval is one transaction of the same producer."""
    log.create_topic("counts", 1)
    producer, member = log.transactions("t"), log.consumer("g").member()

    for number in range(5):
        producer.commit([Outgoing("counts", b"5", str(number).encode())], {}, member)

    assert [b"0", b"1", b"2", b"3", b"4"] == [one.value for one in log.records("counts")]
    assert [0, 2, 4, 6, 8] == [one.offset for one in log.records("counts")]


def test_a_commit_of_nothing_leaves_nothing(log: Log):
    """An idle interval costs the log no marker."""
    log.create_topic("counts", 1)

    log.transactions("t").commit([], {}, log.consumer("g").member())

    assert {TopicPartition("counts", 0): 0} == log.admin().ends([TopicPartition("counts", 0)])


@pytest.mark.parametrize("key", [b"5", b"3:17", "ünïcode".encode(), b"\xff" * 9])
def test_the_partition_is_murmur2_of_the_key(log: Log, key: bytes):
    """The engine computes partitions itself; both must agree with Java."""
    log.create_topic("counts", 7)

    log.transactions("t").commit([Outgoing("counts", key, b"1")], {}, log.consumer("g").member())

    assert [partition_of(key, 7)] == [record.partition for record in log.records("counts")]
    assert partition_of(key, 7) == log.append("counts", key, b"2").partition


def test_a_named_partition_wins_over_the_key(log: Log):
    """A topic may be partitioned by less than its key."""
    log.create_topic("counts", 7)
    other = (partition_of(b"5", 7) + 1) % 7

    log.transactions("t").commit(
        [Outgoing("counts", b"5", b"1", (), other)], {}, log.consumer("g").member()
    )

    assert [other] == [record.partition for record in log.records("counts")]


def test_a_newer_producer_fences_the_older(log: Log):
    """Two processes with one identity must not both write."""
    log.create_topic("counts", 1)
    member = log.consumer("g").member()
    older = log.transactions("t")
    older.commit([Outgoing("counts", b"5", b"old")], {}, member)
    newer = log.transactions("t")

    with pytest.raises(Fenced, match="t"):
        older.commit([Outgoing("counts", b"5", b"fenced")], {}, member)
    newer.commit([Outgoing("counts", b"5", b"new")], {}, member)

    assert [b"old", b"new"] == [record.value for record in log.records("counts")]


def test_other_ids_are_not_fenced(log: Log):
    """Workers of one service write side by side."""
    log.create_topic("counts", 1)
    member = log.consumer("g").member()
    first, second = log.transactions("t1"), log.transactions("t2")

    first.commit([Outgoing("counts", b"5", b"1")], {}, member)
    second.commit([Outgoing("counts", b"5", b"2")], {}, member)
    first.commit([Outgoing("counts", b"5", b"3")], {}, member)

    assert [b"1", b"2", b"3"] == [record.value for record in log.records("counts")]


def test_a_new_producer_aborts_what_a_dead_one_left_open(log: Log):
    """A restarted worker frees its readers at once."""
    log.create_topic("likes", 1)
    log.create_topic("counts", 1)
    member = log.consumer("g").member()
    log.leave_open("t", [Outgoing("counts", b"5", b"dead")], {P0: Committed(9)}, member)

    log.transactions("t").commit([Outgoing("counts", b"5", b"alive")], {}, member)

    assert [b"alive"] == [record.value for record in log.records("counts")]
    assert [b"dead", b"alive"] == [one.value for one in log.records("counts", committed=False)]
    assert {P0: None} == log.admin().group_positions("g", [P0])


def test_a_stale_member_is_refused(log: Log):
    """Whoever lost its partitions must not move their positions."""
    log.create_topic("likes", 1)
    log.create_topic("counts", 1)
    gone = Reading(log.consumer("g"), "likes")
    gone.poll_until(lambda: bool(gone.owned))
    gone.consumer.close()
    owner = Reading(log.consumer("g"), "likes")
    owner.poll_until(lambda: bool(owner.owned))
    producer = log.transactions("t")

    with pytest.raises(TransactionFailed) as failed:
        producer.commit([Outgoing("counts", b"5", b"1")], {P0: Committed(9)}, gone.member)
    producer.discard()
    log.transactions("t")

    assert failed.value.is_stale_member
    assert [] == log.records("counts")
    assert {P0: None} == log.admin().group_positions("g", [P0])


def test_a_membership_from_before_a_partition_left_cannot_commit_it(log: Log):
    """The new owner may have folded on; the old position would make it fold twice.

    For a partition that stayed a broker may take the older membership (KIP-1251) or refuse it.
    """
    log.create_topic("likes", 2)
    first = Reading(log.consumer("g"), "likes")
    first.poll_until(lambda: len(first.owned) == 2)
    before = first.member
    second = Reading(log.consumer("g"), "likes")
    first.poll_until(lambda: len(first.owned) == 1 == len(second.owned), second)

    (moved,) = second.owned
    with pytest.raises(TransactionFailed) as failed:
        log.transactions("t").commit([], {moved: Committed(1)}, before)

    assert failed.value.is_stale_member


def test_positions_of_a_missing_topic_fail_the_transaction(log: Log):
    """A position without a log would start a later topic of that name in the middle."""
    member = log.consumer("g").member()

    with pytest.raises(TransactionFailed):
        log.transactions("t").commit([], {P0: Committed(1)}, member)


def test_both_members_commit_after_a_rebalance(log: Log):
    """What is captured when partitions arrive, or afterwards, is good until the next change."""
    log.create_topic("likes", 2)
    first, second = Reading(log.consumer("g"), "likes"), Reading(log.consumer("g"), "likes")
    first.poll_until(lambda: len(first.owned) == 1 == len(second.owned), second)

    for name, reading in (("a", first), ("b", second)):
        position = {one: Committed(3) for one in reading.owned}
        log.transactions(name).commit([], position, reading.consumer.member())

    every = sorted(first.owned | second.owned)
    assert dict.fromkeys(every, Committed(3)) == log.admin().group_positions("g", every)


def test_whoever_never_joined_commits_only_to_an_empty_group(log: Log):
    """Start offsets are set before there are members; never behind their backs."""
    log.create_topic("likes", 1)
    unjoined = log.consumer("g").member()
    log.transactions("t").commit([], {P0: Committed(0)}, unjoined)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: bool(reading.owned))

    with pytest.raises(TransactionFailed) as failed:
        log.transactions("t").commit([], {P0: Committed(9)}, unjoined)

    assert failed.value.is_stale_member
    log.transactions("t")
    assert {P0: Committed(0)} == log.admin().group_positions("g", [P0])


def test_whoever_never_joined_commits_again_once_the_group_is_empty(log: Log):
    """`streams offsets restore` runs while the service is stopped."""
    log.create_topic("likes", 1)
    reading = Reading(log.consumer("g"), "likes")
    reading.poll_until(lambda: bool(reading.owned))
    reading.consumer.close()

    log.transactions("t").commit([], {P0: Committed(9)}, log.consumer("g").member())

    assert {P0: Committed(9)} == log.admin().group_positions("g", [P0])


def test_outputs_that_fail_half_way_leave_nothing(log: Log):
    """Encoding happens while producing; its error is the caller's, and the producer is lost."""
    log.create_topic("counts", 1)
    member = log.consumer("g").member()
    producer = log.transactions("t")

    def outputs() -> Iterator[Outgoing]:
        yield Outgoing("counts", b"5", b"half")
        raise LookupError("no such schema")

    with pytest.raises(LookupError, match="no such schema"):
        producer.commit(outputs(), {}, member)
    with pytest.raises(TransactionFailed):
        producer.commit([], {}, member)
    log.transactions("t").commit([Outgoing("counts", b"5", b"whole")], {}, member)

    assert [b"whole"] == [record.value for record in log.records("counts")]


def test_an_output_to_a_missing_topic_fails_the_transaction(log: Log):
    """Nothing is dropped in silence."""
    with pytest.raises(TransactionFailed):
        log.transactions("t").commit(
            [Outgoing("nowhere", b"5", b"1")], {}, log.consumer("g").member()
        )


def test_a_commit_for_which_no_time_is_left_fails_and_nothing_is_visible(log: Log):
    """A worker that has to end does not begin what it cannot see to its end."""
    log.create_topic("counts", 1)
    member = log.consumer("g").member()
    producer = log.transactions("t")

    with pytest.raises(TransactionFailed, match="no time is left"):
        producer.commit([Outgoing("counts", b"5", b"late")], {}, member, Deadline.after(0))
    with pytest.raises(TransactionFailed, match="dropped"):
        producer.commit([], {}, member)
    log.transactions("t").commit([Outgoing("counts", b"5", b"next")], {}, member)

    assert [b"next"] == [record.value for record in log.records("counts")]


def test_a_discarded_producer_refuses_work(log: Log):
    """Its transaction may still be open; only a new producer may go on."""
    producer = log.transactions("t")
    producer.discard()
    producer.discard()

    with pytest.raises(TransactionFailed, match="t"):
        producer.commit([], {}, log.consumer("g").member())


def test_a_fresh_producer_is_not_suspicious(log: Log):
    """A quick commit leaves no request in flight."""
    log.create_topic("counts", 1)
    producer = log.transactions("t")
    producer.commit([Outgoing("counts", b"5", b"1")], {}, log.consumer("g").member())

    assert not producer.is_suspicious
