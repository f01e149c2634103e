"""Lag: positions against read-committed ends, in records and in seconds."""

import pytest

from streams.engine import lag
from streams.engine.lag import measure
from streams.errors import TransactionFailed
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.testing.coordinator import CommitFault
from streams.testing.log import InMemoryLog
from tests.unit.listener import ReadAll

NOW_S = 1_000.0


@pytest.fixture
def log(monkeypatch):
    monkeypatch.setattr(lag, "now_us", lambda: int(NOW_S * 1_000_000))
    log = InMemoryLog()
    log.create_topic("t", 2)
    return log


def append(log, partition, *, age_s):
    log.set_time(int((NOW_S - age_s) * 1_000))
    log.append("t", b"k", b"v", partition=partition)


def commit(log, group, partition, offset):
    positions = {TopicPartition("t", partition): Committed(offset)}
    consumer = member(log, group)
    log.transactions(group).commit([], positions, consumer.member())
    consumer.close()


def write_in_transaction(log, outgoing):
    log.transactions("writer").commit([outgoing], {}, member(log, "writer").member())


def member(log, group):
    consumer = log.consumer(group)
    consumer.subscribe(["t"], ReadAll())
    consumer.poll(1, 0.0)
    return consumer


def lags(log, topics=("t",)):
    return list(measure(log.admin(), log.reader(), "g", topics))


def test_a_service_that_never_ran_is_behind_by_everything(log):
    """Its position is unknown, yet the work is known."""
    append(log, 0, age_s=30)
    append(log, 0, age_s=10)

    first, second = lags(log)

    assert (first.position, first.records, first.seconds) == (None, 2, 30.0)
    assert (second.records, second.seconds) == (0, 0.0)


def test_seconds_are_the_age_of_the_oldest_record_not_processed(log):
    """That is how old what a reader sees may be."""
    append(log, 0, age_s=30)
    append(log, 0, age_s=10)
    commit(log, "g", 0, 1)

    first, _ = lags(log)

    assert (first.position, first.records, first.seconds) == (1, 1, 10.0)


def test_only_markers_left_is_no_lag(log):
    """The end of a transactional topic is past a marker that no position need reach."""
    append(log, 0, age_s=30)
    log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        write_in_transaction(log, Outgoing("t", b"k", b"aborted", (), 0))
    log.expire_transactions()
    commit(log, "g", 0, 1)

    first, _ = lags(log)

    assert first.end > first.position
    assert (first.records, first.seconds) == (0, 0.0)


def test_records_removed_by_retention_do_not_count(log):
    """They cannot be processed any more; what is left can."""
    append(log, 0, age_s=30)
    append(log, 0, age_s=10)
    log.delete_records(TopicPartition("t", 0), 1)

    first, _ = lags(log)

    assert (first.records, first.seconds) == (1, 10.0)


def test_a_topic_that_does_not_exist_has_no_partitions(log):
    """Before the first `topics apply` there is nothing to be behind of."""
    assert lags(log, ("missing",)) == []
