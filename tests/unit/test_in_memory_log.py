"""What the in-memory log can do that a test cannot ask of a broker: fail on command."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import Fenced, InputError, NotFound, PositionGone, TransactionFailed
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.testing.consumer import InMemoryConsumer
from streams.testing.coordinator import CommitFault
from streams.testing.log import InMemoryLog

P0 = TopicPartition("likes", 0)
P1 = TopicPartition("likes", 1)
LIKE = Outgoing("likes", b"5", b"liked")


class Listener:
    """Remembers its calls; every partition starts at 0."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[TopicPartition]]] = []

    def assigned(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.calls.append(("assigned", list(partitions)))
        return dict.fromkeys(partitions, 0)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.calls.append(("revoked", list(partitions)))

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        self.calls.append(("lost", list(partitions)))


def a_log(partitions: int = 2) -> InMemoryLog:
    log = InMemoryLog()
    log.create_topic("likes", partitions)
    return log


def joined(log: InMemoryLog, listener: Listener) -> InMemoryConsumer:
    consumer = log.consumer("g")
    consumer.subscribe(["likes"], listener)
    consumer.poll(100, 0)
    return consumer


def values(log: InMemoryLog, *, committed: bool = True) -> list[bytes | None]:
    return [record.value for record in log.records("likes", committed=committed)]


def test_a_commit_that_fails_before_leaves_its_transaction_open():
    """The worker must drop the producer, and the next one with the id ends what it left."""
    log = a_log()
    log.fail_next_commit(CommitFault.BEFORE)
    producer = log.transactions("t")

    with pytest.raises(TransactionFailed):
        producer.commit([LIKE], {P0: Committed(1)}, log.consumer("g").member())

    assert [] == values(log)
    assert [b"liked"] == values(log, committed=False)
    log.transactions("t")
    assert {P0: None} == log.admin().group_positions("g", [P0])


def test_a_commit_that_fails_after_took_effect():
    """An unknown outcome is decided by what is committed, not by what was raised."""
    log = a_log()
    log.fail_next_commit(CommitFault.AFTER)
    producer = log.transactions("t")

    with pytest.raises(TransactionFailed):
        producer.commit([LIKE], {P0: Committed(1)}, log.consumer("g").member())

    assert [b"liked"] == values(log)
    assert {P0: Committed(1)} == log.admin().group_positions("g", [P0])


@pytest.mark.parametrize("fault", [CommitFault.BEFORE, CommitFault.AFTER])
def test_a_producer_whose_commit_failed_refuses_work(fault: CommitFault):
    """Going on with it is what loses and tears transactions on a real broker."""
    log = a_log()
    log.fail_next_commit(fault)
    producer, member = log.transactions("t"), log.consumer("g").member()
    with pytest.raises(TransactionFailed):
        producer.commit([LIKE], {}, member)

    with pytest.raises(TransactionFailed, match="dropped"):
        producer.commit([LIKE], {}, member)


def test_only_the_next_commit_fails():
    """One command, one failure."""
    log = a_log()
    log.fail_next_commit(CommitFault.AFTER)
    member = log.consumer("g").member()
    with pytest.raises(TransactionFailed):
        log.transactions("t").commit([LIKE], {}, member)

    log.transactions("t").commit([LIKE], {}, member)

    assert [b"liked", b"liked"] == values(log)


def test_a_slow_commit_makes_its_producer_suspicious():
    """A request may still be under way: the producer is recycled before the next one."""
    log = a_log()
    log.fail_next_commit(CommitFault.SLOW)
    producer = log.transactions("t")

    producer.commit([LIKE], {}, log.consumer("g").member())

    assert producer.is_suspicious
    assert [b"liked"] == values(log)


def test_expired_transactions_are_aborted_and_their_producers_fenced():
    """So it goes for a worker that slept longer than the transaction time-out."""
    log = a_log()
    producer, member = log.transactions("t"), log.consumer("g").member()
    log.transactions("dead")
    log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        producer.commit([LIKE], {P0: Committed(1)}, member)

    log.expire_transactions()

    assert log.admin().ends([P0, P1]) == log.admin().ends([P0, P1], committed=False)
    assert {P0: None} == log.admin().group_positions("g", [P0])


def test_a_producer_fenced_by_time_out_cannot_commit():
    """It looks exactly as if another process had taken its id."""
    log = a_log()
    sleeper = log.transactions("t")

    def outputs():
        yield LIKE
        log.expire_transactions()
        yield LIKE

    with pytest.raises(Fenced):
        sleeper.commit(outputs(), {}, log.consumer("g").member())

    assert [] == values(log)
    assert [b"liked"] == values(log, committed=False)


def test_an_expired_member_loses_its_partitions():
    """It must not commit them: another member has them since."""
    log, listener, other = a_log(), Listener(), Listener()
    sleeper = joined(log, listener)
    before = sleeper.member()
    sleeper.expire()
    joined(log, other)

    with pytest.raises(TransactionFailed) as failed:
        log.transactions("t").commit([], {P0: Committed(1)}, before)
    sleeper.poll(100, 0)

    assert failed.value.is_stale_member
    assert [("assigned", [P0, P1])] == other.calls
    assert [("assigned", [P0, P1]), ("lost", [P0, P1])] == listener.calls


def test_an_expired_member_joins_again():
    """It gets its share once the others gave it up."""
    log, listener, other = a_log(), Listener(), Listener()
    sleeper = joined(log, listener)
    sleeper.expire()
    second = joined(log, other)

    for consumer in (sleeper, second, sleeper):
        consumer.poll(100, 0)

    assert ("assigned", [P1]) == listener.calls[-1]
    assert ("revoked", [P1]) == other.calls[-1]


def test_a_generation_can_pass_without_a_callback():
    """A third member that gets nothing still makes older memberships stale."""
    log = a_log(1)
    owner = joined(log, Listener())
    before = owner.member()
    joined(log, Listener())
    owner.poll(100, 0)

    with pytest.raises(TransactionFailed) as failed:
        log.transactions("t").commit([], {P0: Committed(1)}, before)
    log.transactions("t").commit([], {P0: Committed(1)}, owner.member())

    assert failed.value.is_stale_member


def test_partitions_are_shared_by_range_over_each_topic():
    """Folds of one service on two topics find equal partitions on one worker."""
    log = a_log(3)
    log.create_topic("views", 3)
    listeners = [Listener(), Listener()]
    consumers = [log.consumer("g") for _ in listeners]
    for consumer, listener in zip(consumers, listeners, strict=True):
        consumer.subscribe(["likes", "views"], listener)
    for consumer in consumers:
        consumer.poll(100, 0)

    names = [[str(one) for one in listener.calls[0][1]] for listener in listeners]

    assert [["likes/0", "likes/1", "views/0", "views/1"], ["likes/2", "views/2"]] == names


def test_dropped_offsets_are_gone_and_the_records_are_not():
    """A worker with a store must notice, and not begin again."""
    log = a_log()
    log.transactions("t").commit([LIKE], {P0: Committed(1)}, log.consumer("g").member())

    log.drop_offsets("g")

    assert {P0: None} == log.admin().group_positions("g", [P0])
    assert [b"liked"] == values(log)


def test_added_partitions_come_with_the_next_poll():
    """A worker must see them to refuse them."""
    log, listener = a_log(1), Listener()
    consumer = joined(log, listener)

    log.add_partitions("likes", 2)
    consumer.poll(100, 0)

    assert [("assigned", [P0]), ("assigned", [P1])] == listener.calls


def test_a_recreated_topic_leaves_positions_out_of_range():
    """Positions of the old log must not pass for positions of the new one."""
    log = a_log(1)
    log.append("likes", b"5", b"liked")
    consumer = joined(log, Listener())

    log.recreate_topic("likes")

    with pytest.raises(PositionGone, match="likes/0"):
        consumer.poll(100, 0)


def test_a_topic_is_made_once():
    """A typing error in a test must not empty a topic."""
    log = a_log()

    with pytest.raises(InputError, match="likes"):
        log.create_topic("likes", 1)


def test_a_record_for_a_missing_topic_is_refused():
    """Topics are never made by writing."""
    with pytest.raises(NotFound, match="likes"):
        InMemoryLog().append("likes", b"5", b"liked")


def test_records_carry_the_time_that_was_set():
    """Partition time is clamped by the broker's timestamp, so tests choose it."""
    log = a_log()
    log.append("likes", b"5", b"a")
    log.set_time(1_700_000_000_000)

    record = log.append("likes", b"5", b"b")

    assert 1_700_000_000_000 == record.timestamp_ms
    assert [0, 1_700_000_000_000] == [one.timestamp_ms for one in log.records("likes")]


def test_a_full_partition_does_not_starve_the_others():
    """Each poll begins with another partition."""
    log = a_log()
    for number in range(20):
        log.append("likes", b"5", b"a", partition=number % 2)
    consumer = log.consumer("g")
    consumer.subscribe(["likes"], Listener())

    sources = {batch.source for _ in range(2) for batch in consumer.poll(3, 0).batches}

    assert {P0, P1} == sources


def test_a_listener_may_use_the_log_from_another_thread():
    """Callbacks run without the lock, or a commit elsewhere would hang the hand-over."""
    log = a_log(1)
    member = log.consumer("other").member()

    class Committing(Listener):
        def assigned(self, partitions):
            with ThreadPoolExecutor(1) as pool:
                pool.submit(log.transactions("t").commit, [LIKE], {}, member).result(10)
            return super().assigned(partitions)

    joined(log, Committing())

    assert [b"liked"] == values(log)


STEPS = st.lists(st.sampled_from(["append", "commit", "die", "late"]), max_size=30)


@given(STEPS)
def test_readers_see_exactly_what_was_committed_in_order(steps: list[str]):
    """Whatever mix of transactions that end, die open, or take effect unnoticed."""
    log, expected = a_log(1), []
    member = log.consumer("g").member()
    for number, step in enumerate(steps):
        value = str(number).encode()
        if step == "append":
            log.append("likes", b"5", value)
        else:
            _commit(log, step, Outgoing("likes", b"5", value), member)
        if step != "die":
            expected.append(value)
    log.expire_transactions()

    assert expected == values(log)
    assert expected == [record.value for record in log.reader().read({P0: 0})]
    assert log.admin().ends([P0]) == log.admin().ends([P0], committed=False)


def _commit(log: InMemoryLog, step: str, outgoing: Outgoing, member) -> None:
    producer = log.transactions("t")
    if step == "commit":
        producer.commit([outgoing], {}, member)
        return
    log.fail_next_commit(CommitFault.BEFORE if step == "die" else CommitFault.AFTER)
    with pytest.raises(TransactionFailed):
        producer.commit([outgoing], {}, member)
