"""What every `LogAdmin` answers about topics and groups."""

from __future__ import annotations

import pytest

from streams.errors import BrokerUnavailable, NotFound
from streams.ports.records import Committed, Outgoing, TopicPartition
from tests.contract.logs import Log

P0 = TopicPartition("likes", 0)
P1 = TopicPartition("likes", 1)


def test_topics_tells_those_that_exist(log: Log):
    """A missing one is an answer, not an error."""
    log.create_topic("likes", 3)
    log.create_topic("counts", 1)

    found = log.admin().topics(["likes", "counts", "nowhere"])

    assert {"likes": 3, "counts": 1} == {name: topic.partitions for name, topic in found.items()}
    assert ["counts", "likes"] == sorted(topic.name for topic in found.values())


def test_no_names_ask_for_no_topics(log: Log):
    """Brokers take an empty list for all."""
    log.create_topic("likes", 3)

    assert {} == log.admin().topics([])


def test_a_recreated_topic_has_another_id(log: Log):
    """Old positions must not be applied to a new log of the same name."""
    log.create_topic("likes", 1)
    admin = log.admin()
    before = admin.topics(["likes"])["likes"].topic_id
    log.recreate_topic("likes")

    after = admin.topics(["likes"])["likes"].topic_id

    assert before == before.strip() != ""
    assert before != after


def test_a_recreated_topic_has_no_committed_positions(log: Log):
    """The broker forgets them with the topic."""
    log.create_topic("likes", 1)
    log.transactions("t").commit([], {P0: Committed(1)}, log.consumer("g").member())
    log.recreate_topic("likes")

    assert {P0: None} == log.admin().group_positions("g", [P0])


def test_starts_and_ends_of_an_empty_log_are_0(log: Log):
    """First start looks for empty outputs."""
    log.create_topic("likes", 2)
    admin = log.admin()

    assert {P0: 0, P1: 0} == admin.starts([P0, P1])
    assert {P0: 0, P1: 0} == admin.ends([P0, P1])
    assert {P0: 0, P1: 0} == admin.ends([P0, P1], committed=False)


def test_starts_move_with_retention(log: Log):
    """A log that no longer reaches 0 needs a snapshot."""
    log.create_topic("likes", 2)
    for _ in range(3):
        log.append("likes", b"5", b"a", partition=0)
    log.delete_records(P0, 2)

    assert {P0: 2, P1: 0} == log.admin().starts([P0, P1])
    assert {P0: 3, P1: 0} == log.admin().ends([P0, P1])


def test_an_open_transaction_parts_the_two_ends(log: Log):
    """Caught up means the committed end; what exists means the other."""
    log.create_topic("likes", 1)
    log.append("likes", b"5", b"a")
    log.leave_open("t", [Outgoing("likes", b"5", b"x")] * 2, {}, log.consumer("g").member())
    admin = log.admin()

    assert {P0: 1} == admin.ends([P0])
    assert {P0: 3} == admin.ends([P0], committed=False)
    log.transactions("t")
    assert {P0: 4} == admin.ends([P0])


def test_no_partitions_have_no_offsets(log: Log):
    """A service that reads nothing yet asks for nothing."""
    admin = log.admin()

    assert {} == admin.starts([]) == admin.ends([]) == admin.group_positions("g", [])


def test_offsets_of_a_missing_partition_are_an_error(log: Log):
    """Never 0."""
    log.create_topic("likes", 1)

    with pytest.raises(NotFound, match="likes/1"):
        log.admin().ends([P1])


def test_a_group_that_never_was_has_no_positions(log: Log):
    """A first start is told apart from lost offsets by asking."""
    log.create_topic("likes", 2)

    assert {P0: None, P1: None} == log.admin().group_positions("never", [P0, P1])


def test_positions_of_a_group_are_seen_from_outside(log: Log):
    """`streams lag` and `doctor` are no members."""
    log.create_topic("likes", 2)
    log.transactions("t").commit([], {P0: Committed(4, "v1")}, log.consumer("g").member())

    found = log.admin().group_positions("g", [P0, P1])

    assert {P0: Committed(4, "v1"), P1: None} == found


def test_positions_in_an_open_transaction_are_not_guessed(log: Log):
    """Neither the old nor the new one is the truth yet."""
    log.create_topic("likes", 1)
    log.leave_open(
        "t", [Outgoing("likes", b"5", b"x")], {P0: Committed(4)}, log.consumer("g").member()
    )
    admin = log.admin()

    with pytest.raises(BrokerUnavailable, match="open"):
        admin.group_positions("g", [P0])
    log.transactions("t")
    assert {P0: None} == admin.group_positions("g", [P0])
