"""The SDK's client on a real broker: places, order, bounds, and what is told when it fails."""

from __future__ import annotations

import os
import random
import signal
from collections import defaultdict

import pytest
from pydantic import SecretStr

from schemas.social import FriendRequested, PhotoLiked, PhotoUnliked
from streams.avro.codec import Codec
from streams.clock import Deadline
from streams.errors import (
    BrokerUnavailable,
    ClientClosed,
    ConfigurationError,
    DeliveryFailed,
    NotFound,
    Overloaded,
)
from streams.kafka.admin import KafkaAdmin
from streams.kafka.producer import KafkaProducer
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from streams.sdk import EventClient
from streams.settings import EmitSettings, KafkaSettings
from streams.topics.catalog import Catalog
from streams.topics.partitioner import partition_of

PARTITIONS = 4
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOWHERE = "127.0.0.1:1"
"""An address that refuses connections at once."""

CODEC = Codec(
    Catalog.of(PhotoLiked).registry, {one.avro_name: one for one in (PhotoLiked, PhotoUnliked)}
)


def like(photo_id: int, user_id: int = 3) -> PhotoLiked:
    return PhotoLiked(user_id=user_id, photo_id=photo_id, owner_id=9)


def records(kafka: KafkaSettings) -> list:
    reader = KafkaReader(kafka)
    try:
        starts = {TopicPartition("social.photos", number): 0 for number in range(PARTITIONS)}
        return list(reader.read(starts, Deadline.after(30)))
    finally:
        reader.close()


@pytest.fixture
def photos(kafka):
    """Settings of a broker that has the topic `social.photos`."""
    admin = KafkaAdmin(kafka)
    admin.create_topic("social.photos", PARTITIONS, {})
    admin.close()
    return kafka


@pytest.mark.kafka
def test_a_receipt_points_at_the_events_bytes(photos):
    """The whole way: key, partition, offset, bytes."""
    with EventClient(photos) as client:
        receipts = client.emit_many([like(number) for number in range(200)])
        places = {(place.partition, place.offset) for place in (one.result(30) for one in receipts)}

    found = {(record.partition, record.offset): record for record in records(photos)}
    assert 200 == len(places)
    assert places == set(found)
    for number, receipt in enumerate(receipts):
        record = found[receipt.partition, receipt.offset]
        event = CODEC.decode(record.value)
        assert str(number).encode() == record.key
        assert partition_of(record.key, PARTITIONS) == record.partition
        assert (receipt.event_id, number) == (event.event_id, event.photo_id)


@pytest.mark.kafka
def test_librdkafka_partitions_keys_as_we_and_java_do(photos):
    """Engine and SDK compute partitions apart; a difference would put events out of sight."""
    chance = random.Random(7)
    keys = [b"", *(chance.randbytes(chance.randrange(1, 40)) for _ in range(2_000))]
    landed = {}
    producer = KafkaProducer(photos, EmitSettings())
    send = producer.sender("social.photos")
    for key in keys:
        send(b"x", key, -1, lambda _, report, key=key: landed.update({key: report.partition()}))

    assert 0 == producer.flush(30)
    assert {key: partition_of(key, PARTITIONS) for key in keys} == landed


@pytest.mark.kafka
def test_events_of_a_key_keep_their_order_through_a_full_queue(photos):
    """Waiting for room is a retry, and retries are where order gets lost."""
    events = [
        (PhotoLiked if number % 3 else PhotoUnliked)(
            user_id=number, photo_id=number * 7 % 20, owner_id=9
        )
        for number in range(5_000)
    ]
    with EventClient(photos, EmitSettings(max_queued=100, linger_ms=0)) as client:
        client.emit_many(events[:2_500])
        for event in events[2_500:]:
            client.emit(event)

    users = defaultdict(list)
    for record in records(photos):
        users[record.key].append(CODEC.decode(record.value).user_id)
    assert 5_000 == sum(map(len, users.values()))
    assert {key: sorted(order) for key, order in users.items()} == users


@pytest.mark.kafka
def test_the_queue_is_bounded_by_the_settings(photos):
    """librdkafka counts records until their reports are served."""
    settings = EmitSettings(max_queued=10, linger_ms=60_000, on_full="fail")
    with EventClient(photos, settings) as client:
        receipts = client.emit_many([like(number) for number in range(15)])
        with pytest.raises(Overloaded):
            client.emit(like(0))
        failures = [receipt.exception() for receipt in receipts[10:]]

    assert [Overloaded] * 5 == list(map(type, failures))
    assert 10 == len(records(photos))


@pytest.mark.kafka
def test_headers_are_on_the_record(photos):
    """They pass through the client as we made them."""
    with EventClient(photos, EmitSettings(source="web")) as client:
        receipt = client.emit(like(1), traceparent=TRACE)
        client.emit(like(1), cause=receipt.event_id).result(30)

    first, second = (dict(record.headers) for record in records(photos))
    assert {"producer": b"web", "traceparent": TRACE.encode()} == first
    assert {"producer", "causation"} == set(second)


@pytest.mark.kafka
def test_a_topic_that_was_never_made_is_named(kafka):
    """The remedy is one command away."""
    options = "topic.metadata.propagation.max.ms=500"
    settings = kafka.model_copy(update={"client_options": SecretStr(options)})
    with EventClient(settings) as client:
        with pytest.raises(NotFound, match=r"social\.relations.*streams topics apply"):
            client.ready(FriendRequested)
        with pytest.raises(DeliveryFailed, match=r"social\.photos.*streams topics apply"):
            client.emit(like(1)).result(30)


@pytest.mark.kafka
def test_a_child_process_is_refused_and_leaves_the_parents_records_alone(photos):
    """librdkafka's threads stay with the parent, so nothing emitted in the child would leave."""
    with EventClient(photos, EmitSettings(linger_ms=60_000)) as client:
        pending = client.emit(like(1))
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            refused = 0
            for use in (lambda: client.emit(like(2)), lambda: pending.result(1), client.flush):
                try:
                    use()
                except ClientClosed:
                    refused += 1
            client.close()
            del client, pending
            os._exit(refused)
        _, status = os.waitpid(child, 0)

    assert 3 == os.waitstatus_to_exitcode(status)
    assert [b"1"] == [record.key for record in records(photos)]


def test_a_broker_that_was_never_there_is_called_unavailable():
    """Nothing can be in the log then, so the caller may emit the event again as it likes."""
    settings = EmitSettings(delivery_timeout_s=0.5, flush_timeout_s=5)
    with EventClient(KafkaSettings(bootstrap_servers=NOWHERE), settings) as client:
        with pytest.raises(BrokerUnavailable, match=f"{NOWHERE}.*correct KAFKA_BOOTSTRAP_SERVERS"):
            client.emit(like(1)).result(30)
        with pytest.raises(BrokerUnavailable):
            client.ready(PhotoLiked, timeout_s=0.5)


def test_closing_without_a_broker_counts_what_is_lost():
    """Purged records report like any other."""
    client = EventClient(
        KafkaSettings(bootstrap_servers=NOWHERE), EmitSettings(flush_timeout_s=0.2)
    )
    receipts = client.emit_many([like(1), like(2)])

    with pytest.raises(DeliveryFailed) as caught:
        client.close()
    assert 2 == caught.value.count
    assert [BrokerUnavailable] * 2 == [type(receipt.exception()) for receipt in receipts]


@pytest.mark.parametrize(
    "option",
    [
        "acks=1",
        "enable.idempotence=false",
        "partitioner=consistent_random",
        "retries=0",
        "message.send.max.retries=0",
        "max.in.flight=100",
        "max.in.flight.requests.per.connection=100",
        "transactional.id=x",
        "delivery.report.only.error=true",
        "queuing.strategy=lifo",
    ],
)
def test_an_option_that_would_lose_or_reorder_is_refused(option):
    """A setting in the environment must not undo what the library promises."""
    settings = KafkaSettings(bootstrap_servers=NOWHERE, client_options=option)

    with pytest.raises(ConfigurationError, match=f"found {option.partition('=')[0]} in"):
        EventClient(settings)


def test_an_option_that_the_client_does_not_know_is_refused():
    """A misspelt option is not ignored."""
    settings = KafkaSettings(bootstrap_servers=NOWHERE, client_options="no.such=1")

    with pytest.raises(ConfigurationError, match=r"no\.such"):
        EventClient(settings)
