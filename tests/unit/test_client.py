"""The client over an in-memory producer: receipts, refusals, order, closing."""

from __future__ import annotations

import os
import threading
from typing import ClassVar

import msgspec
import pytest

from schemas.counters import ActorCounted, ActorKind, PhotoContribution, PhotoCounters
from schemas.social import FriendRequested, PhotoLiked, PhotoPosted
from streams.avro.codec import Codec
from streams.errors import (
    BrokerUnavailable,
    NotFound,
    Overloaded,
    SchemaMismatch,
    TooLarge,
    UnknownEvent,
)
from streams.events.message import UNSTAMPED, Event
from streams.metrics import registry
from streams.sdk import EventClient, Position
from streams.settings import EmitSettings
from streams.topics.catalog import Catalog
from tests.unit.fake_producer import FakeProducer

LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


class Stranger(Event, frozen=True, gc=False):
    avro_name: ClassVar[str] = "social.Stranger"
    user_id: int
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


def decoded(record):
    types = {PhotoLiked.avro_name: PhotoLiked}
    return Codec(Catalog.of(PhotoLiked).registry, types).decode(record.value)


def test_a_receipt_tells_where_the_record_landed(client, producer):
    """Whoever reads the result next needs the offset to wait for."""
    receipt = client.emit(LIKE)
    producer.deliver()

    assert Position("social.photos", 0, 0) == receipt.result(10)
    assert (0, 0, True) == (receipt.partition, receipt.offset, receipt.done)
    assert receipt.exception() is None


def test_a_receipt_is_not_done_before_the_broker_answers(client):
    """Queued is not written; a time-out leaves the record under way."""
    receipt = client.emit(LIKE)

    assert not receipt.done
    with pytest.raises(TimeoutError, match=r"social\.photos"):
        receipt.result(0)


def test_topic_key_and_frame_come_from_the_catalog(client, producer):
    """An emitter that chose them could put an event where no fold looks."""
    client.emit(LIKE)
    client.emit(FriendRequested(requester_id=9, addressee_id=3))
    producer.deliver()

    assert [("social.photos", b"5"), ("social.relations", b"3:9")] == [
        (record.topic, record.key) for record in producer.sent
    ]


def test_an_event_is_stamped_with_what_it_lacks(client, producer):
    """Two emits of one object are two events; folds tell them apart by id."""
    receipts = client.emit_many([LIKE, LIKE])
    producer.deliver()
    first, second = (decoded(record) for record in producer.sent)

    assert [first.event_id, second.event_id] == [receipt.event_id for receipt in receipts]
    assert UNSTAMPED != first.event_id != second.event_id
    assert first.occurred_at > 0
    assert LIKE == msgspec.structs.replace(first, event_id=UNSTAMPED, occurred_at=0)


def test_a_stamp_that_is_there_stays(client, producer):
    """An event sent again must keep its id, or it counts twice."""
    event = msgspec.structs.replace(LIKE, event_id=os.urandom(16), occurred_at=7)
    receipt = client.emit(event)
    producer.deliver()

    assert event == decoded(producer.sent[0])
    assert event.event_id == receipt.event_id


def test_a_wrong_field_is_named_and_nothing_is_sent(client, producer):
    """A batch is sent whole or not at all, so that it can be repaired and sent again."""
    wrong = PhotoLiked(user_id="3", photo_id=5, owner_id=9)

    with pytest.raises(SchemaMismatch) as caught:
        client.emit(wrong)
    with pytest.raises(SchemaMismatch):
        client.emit_many([LIKE, wrong])

    assert "user_id" == caught.value.field
    assert 0 == producer.queued


@pytest.mark.parametrize(
    "event",
    [
        Stranger(user_id=3),
        PhotoCounters(
            photo_id=1, owner_id=2, likes=3, comments=4, comment_likes=0, shares=0, deleted=False
        ),
        PhotoContribution(user_id=1, photo_id=2, photos=0, likes=0, comments=0),
        ActorCounted(user_id=1, kind=ActorKind.LIKE, delta=1),
        "PhotoLiked",
        None,
    ],
)
def test_only_events_of_a_catalog_are_sent(client, producer, event):
    """Results, upserts and facts are written by folds; another writer would corrupt them."""
    with pytest.raises(UnknownEvent, match=r"found .*, wanted"):
        client.emit(event)

    assert 0 == producer.queued


def test_a_record_over_the_limit_is_refused_before_it_is_queued(client, producer):
    """The broker would refuse the whole batch it travels in."""
    with pytest.raises(TooLarge) as caught:
        client.emit(PhotoPosted(photo_id=1, owner_id=2, caption="x" * 900_000))

    assert 900_000 == caught.value.limit_bytes < caught.value.size_bytes
    assert 0 == producer.queued


def test_a_full_queue_fails_at_once_when_told_to():
    """A web request would rather fail than hang."""
    producer = FakeProducer(room=1)
    with EventClient(emit=EmitSettings(on_full="fail"), producer=producer) as client:
        client.emit(LIKE)
        with pytest.raises(Overloaded, match="STREAMS_EMIT_MAX_QUEUED"):
            client.emit(LIKE)
        producer.deliver()

    assert 1 == len(producer.sent)


def test_a_full_queue_that_was_delivered_meanwhile_is_not_full():
    """Reports that nobody served yet hold room in the queue."""
    producer = FakeProducer(room=1)
    with EventClient(emit=EmitSettings(on_full="fail"), producer=producer) as client:
        client.emit(LIKE)
        producer.deliver()
        client.emit(LIKE)
        producer.deliver()

    assert 2 == len(producer.sent)


def test_a_full_queue_waits_for_room_by_default():
    """A script that emits faster than Kafka takes must slow down, not lose."""
    producer = FakeProducer(room=3, delivers=True)
    with EventClient(emit=EmitSettings(), producer=producer) as client:
        receipts = client.emit_many([LIKE] * 1_000)
        client.flush(10)

    assert list(range(1_000)) == [receipt.offset for receipt in receipts]


def test_what_does_not_fit_into_the_queue_fails_by_its_receipt_and_leaves_no_gap():
    """A later event of the same key must not pass one that was refused."""
    producer = FakeProducer(room=2)
    client = EventClient(emit=EmitSettings(on_full="fail"), producer=producer)
    receipts = client.emit_many([LIKE] * 4)
    producer.deliver()

    assert [0, 1] == [receipt.result(10).offset for receipt in receipts[:2]]
    assert [Overloaded] * 2 == [type(receipt.exception()) for receipt in receipts[2:]]
    client.close()


def test_a_failed_delivery_is_raised_by_the_receipt(client, producer):
    """Waiting for a result must not turn a loss into a success."""
    receipts = client.emit_many([LIKE, LIKE])
    producer.fail("absent")

    with pytest.raises(BrokerUnavailable):
        receipts[0].result(10)
    assert isinstance(receipts[1].exception(10), BrokerUnavailable)


def test_a_callback_runs_once_whenever_it_was_added(client, producer):
    """It may be added before, while or after the report comes."""
    called = []
    receipt = client.emit(LIKE)
    done = threading.Event()
    receipt.add_callback(called.append)
    receipt.add_callback(lambda _: done.set())
    producer.deliver()
    assert done.wait(10)
    receipt.add_callback(called.append)

    assert [receipt, receipt] == called


def test_a_callback_that_raises_harms_nobody(client, producer, caplog):
    """It is the program's code, in the thread that serves all receipts."""
    receipts = client.emit_many([LIKE, LIKE])
    done = threading.Event()
    receipts[0].add_callback(lambda _: 1 / 0)
    receipts[1].add_callback(lambda _: done.set())
    producer.deliver()

    assert done.wait(10)
    assert "ZeroDivisionError" in caplog.text


def test_a_callback_may_emit_and_wait(client, producer):
    """It runs in the thread that serves receipts, which must not wait for itself."""
    places = []
    done = threading.Event()

    def again(_receipt):
        producer.delivers = True
        places.append(client.emit(LIKE).result(10))
        done.set()

    client.emit(LIKE).add_callback(again)
    producer.deliver()

    assert done.wait(10)
    assert [Position("social.photos", 0, 1)] == places


def test_threads_share_a_client(client, producer):
    """A web server has one client and many threads."""
    producer.delivers = True
    threads = [
        threading.Thread(target=lambda: [client.emit(LIKE) for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.flush(10)

    assert 2_000 == len(producer.sent)


def test_ready_names_the_topics_that_are_missing(client):
    """A program should fail when it starts, not half a minute after its first event."""
    client.ready(PhotoLiked)

    with pytest.raises(NotFound, match=r"social\.relations.*streams topics apply"):
        client.ready(PhotoLiked, FriendRequested)


def test_counters_tell_what_was_taken_and_refused(producer):
    """An operator sees losses before users do."""

    def value(name, **labels):
        return registry().get_sample_value(name, labels) or 0

    taken = value("streams_emitted_total", topic="social.photos")
    refused = value("streams_emit_failed_total", reason="SchemaMismatch")
    with EventClient(emit=EmitSettings(), producer=producer) as client:
        client.emit_many([LIKE] * 3)
        with pytest.raises(SchemaMismatch):
            client.emit(PhotoLiked(user_id=None, photo_id=5, owner_id=9))
        assert 3 == value("streams_emit_queued")
        producer.deliver()

    assert taken + 3 == value("streams_emitted_total", topic="social.photos")
    assert refused + 1 == value("streams_emit_failed_total", reason="SchemaMismatch")


def test_times_to_the_acknowledgement_are_counted(producer):
    """What a slow broker does to emitters shows before their queue is full."""

    def value(name, **labels):
        return registry().get_sample_value(name, {"topic": "social.photos", **labels}) or 0

    timed = value("streams_emit_seconds_count")
    quick = value("streams_emit_seconds_bucket", le="0.2")
    with EventClient(emit=EmitSettings(), producer=producer) as client:
        client.emit_many([LIKE] * 3)
        producer.deliver()

    assert timed + 3 == value("streams_emit_seconds_count")
    assert quick == value("streams_emit_seconds_bucket", le="0.2")


def test_of_many_acknowledged_at_once_a_few_are_timed(client, producer):
    """To time each would slow every emit down."""
    timed = registry().get_sample_value("streams_emit_seconds_count", {"topic": "social.photos"})
    client.emit_many([LIKE] * 500)
    producer.deliver()

    client.close()

    found = registry().get_sample_value("streams_emit_seconds_count", {"topic": "social.photos"})
    assert 0 < found - (timed or 0) < 500


def test_events_emitted_together_happened_at_the_same_time(client, producer):
    """The clock is read once a call, which is the moment that the caller speaks of."""
    client.emit_many([msgspec.structs.replace(LIKE, occurred_at=7), *[LIKE] * 200])
    producer.deliver()
    client.flush()

    known, *given = (decoded(record).occurred_at for record in producer.sent)
    assert (7, 1) == (known, len(set(given)))
