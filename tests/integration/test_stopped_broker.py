"""What the adapters do while a broker does not answer, and after it does again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from schemas.social import PhotoLiked
from streams.clock import Deadline
from streams.errors import BrokerUnavailable, DeliveryFailed, TransactionFailed
from streams.kafka.admin import KafkaAdmin
from streams.kafka.consumer import KafkaConsumer
from streams.kafka.reader import KafkaReader
from streams.kafka.transaction import KafkaTransactions
from streams.local import LocalKafka
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.sdk import EventClient
from streams.settings import EmitSettings, KafkaSettings, WorkerSettings
from tests.freezing import freeze

P0 = TopicPartition("likes", 0)
WORKER = WorkerSettings(transaction_timeout_s=5)
pytestmark = [pytest.mark.kafka, pytest.mark.slow]


class StoppableKafka:
    """A broker of the test's own, which can be made to answer nobody."""

    def __init__(self, home: Path) -> None:
        self._local = LocalKafka(home)
        status = self._local.up()
        self._pid = status.pid
        self.settings = KafkaSettings(bootstrap_servers=status.address)
        KafkaAdmin(self.settings).create_topic("likes", 1, {})

    def stop(self) -> None:
        freeze(self._pid)

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def end(self) -> None:
        with suppress(ProcessLookupError):  # a test may have ended it
            self.go_on()
        self._local.down()
        self._local.wipe()


@pytest.fixture
def stoppable(tmp_path: Path) -> Iterator[StoppableKafka]:
    broker = StoppableKafka(tmp_path)
    yield broker
    broker.end()


def test_a_producer_is_dropped_in_mid_transaction_and_replaced(stoppable: StoppableKafka):
    """Closing it would hang; what it left open is aborted once the broker answers."""
    consumer = KafkaConsumer(stoppable.settings, "g", WORKER)
    producer = KafkaTransactions(stoppable.settings, "t", WORKER, Deadline.after(30))

    def outputs() -> Iterator[Outgoing]:
        yield Outgoing("likes", b"5", b"lost")
        stoppable.stop()
        yield Outgoing("likes", b"5", b"lost")

    with pytest.raises(TransactionFailed) as failed:
        producer.commit(outputs(), {P0: Committed(1)}, consumer.member())
    producer.discard()
    with pytest.raises(BrokerUnavailable, match="correct KAFKA_BOOTSTRAP_SERVERS"):
        KafkaTransactions(stoppable.settings, "t", WORKER, Deadline.after(1))
    stoppable.go_on()
    newer = KafkaTransactions(stoppable.settings, "t", WORKER, Deadline.after(30))
    newer.commit([Outgoing("likes", b"5", b"kept")], {}, consumer.member())
    newer.discard()

    assert not failed.value.is_stale_member
    assert {P0: None} == consumer.committed([P0], Deadline.after(30))
    records = list(KafkaReader(stoppable.settings).read({P0: 0}, Deadline.after(30)))
    assert [b"kept"] == [record.value for record in records]


def test_events_given_up_and_events_after_them_are_in_the_log_once(stoppable: StoppableKafka):
    """Their requests were read by the broker while it could not answer."""
    KafkaAdmin(stoppable.settings).create_topic("social.photos", 1, {})
    emit = EmitSettings(delivery_timeout_s=3)
    with EventClient(stoppable.settings, emit) as client:
        client.emit(PhotoLiked(user_id=1, photo_id=5, owner_id=9)).result(30)
        stoppable.stop()
        first = client.emit(PhotoLiked(user_id=2, photo_id=5, owner_id=9))
        receipts = [first]
        while not first.done:  # all the while others follow, as in any program at work
            receipts.append(client.emit(PhotoLiked(user_id=3, photo_id=5, owner_id=9)))
            with suppress(TimeoutError, DeliveryFailed):
                first.result(0.1)
        stoppable.go_on()
        last = client.emit(PhotoLiked(user_id=4, photo_id=5, owner_id=9)).result(60)
        for receipt in receipts:
            receipt.exception(60)

    assert isinstance(first.error, DeliveryFailed)
    assert first.error.is_unknown
    assert last.offset == len(receipts) + 1
    records = KafkaReader(stoppable.settings).read(
        {TopicPartition("social.photos", 0): 0}, Deadline.after(30)
    )
    assert list(range(len(receipts) + 2)) == [record.offset for record in records]


def test_questions_fail_while_nobody_answers_and_work_again(stoppable: StoppableKafka):
    """No guess (-1001 for an end, None for a position), and a late answer kills nobody."""
    admin = KafkaAdmin(stoppable.settings, timeout_s=1)
    cold = KafkaAdmin(stoppable.settings, timeout_s=1)
    admin.ends([P0])
    stoppable.stop()

    for asked in (admin, cold):
        with pytest.raises(BrokerUnavailable):
            asked.topics(["likes"])
        with pytest.raises(BrokerUnavailable):
            asked.ends([P0])
        with pytest.raises(BrokerUnavailable):
            asked.group_positions("g", [P0])
    stoppable.go_on()
    patient = KafkaAdmin(stoppable.settings, timeout_s=30)

    assert {P0: 0} == patient.ends([P0])
    assert {P0: None} == patient.group_positions("g", [P0])
    assert {P0: None} == cold.group_positions("g", [P0])


def test_a_producer_that_saw_the_broker_go_is_suspicious(stoppable: StoppableKafka):
    """A request may still be on its way: the producer is recycled before the next commit."""
    consumer = KafkaConsumer(stoppable.settings, "g", WORKER)
    producer = KafkaTransactions(stoppable.settings, "t", WORKER, Deadline.after(30))
    producer.commit([Outgoing("likes", b"5", b"kept")], {}, consumer.member())
    was_suspicious = producer.is_suspicious

    stoppable.end()
    deadline = Deadline.after(30)
    while not producer.is_suspicious and not deadline.is_over:
        consumer.poll(1, 0.1)

    assert not was_suspicious
    assert producer.is_suspicious
    producer.discard()
