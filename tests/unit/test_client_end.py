"""How a client ends: flush, close, a fatal error, a fork."""

from __future__ import annotations

import gc
import os
import weakref
from contextlib import nullcontext

import pytest

from schemas.social import PhotoLiked
from streams.errors import ClientClosed, DeliveryFailed
from streams.sdk import EventClient
from streams.settings import EmitSettings
from tests.unit.fake_producer import FakeProducer

LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


def test_flush_reports_failures_that_nobody_looked_at_once(client, producer):
    """An emitter that drops its receipts must still hear of a loss, and only once."""
    client.emit_many([LIKE, LIKE])
    seen = client.emit(LIKE)
    producer.fail()
    seen.exception(10)

    with pytest.raises(DeliveryFailed, match=r"2 events failed.*social\.photos: refused") as caught:
        client.flush()
    client.flush()

    assert 2 == caught.value.count


def test_flush_in_time_only(client):
    """A record that waits may still arrive, so the error says it is unknown."""
    client.emit(LIKE)

    with pytest.raises(DeliveryFailed, match="1 are not yet acknowledged") as caught:
        client.flush(0)

    assert caught.value.is_unknown


def test_closing_gives_up_what_cannot_be_sent_and_counts_it(producer):
    """Nothing may vanish in silence; closing again finds nothing to do."""
    client = EventClient(emit=EmitSettings(flush_timeout_s=0), producer=producer)
    receipt = client.emit(LIKE)
    client.emit(LIKE)

    with pytest.raises(DeliveryFailed) as caught:
        client.close()
    client.close()

    assert 2 == caught.value.count
    assert receipt.exception().is_unknown


def test_a_record_that_waits_for_too_long_fails_and_stays_in_its_place(producer):
    """It may be on its way: taken out and sent again by the program, it could pass a later one."""
    client = EventClient(emit=EmitSettings(delivery_timeout_s=0.05), producer=producer)
    receipt = client.emit(LIKE)

    error = receipt.exception(30)
    waiting = (client.queued, producer.queued)
    producer.deliver()
    client.flush()
    client.close()

    assert isinstance(error, DeliveryFailed)
    assert error.is_unknown
    assert (0, 1) == waiting
    assert receipt.exception() is error
    assert [LIKE.photo_id] == [int(record.key) for record in producer.sent]


def test_an_event_that_is_said_to_be_in_no_log_does_not_get_there_late(producer):
    """Where no broker was found nothing is on its way, and the caller may emit it anew."""
    producer.was_reached = False
    client = EventClient(emit=EmitSettings(delivery_timeout_s=0.05), producer=producer)
    receipt = client.emit(LIKE)

    receipt.exception(30)
    waiting = (client.queued, producer.queued)
    client.close()

    assert (0, 0) == waiting
    assert [] == producer.sent


@pytest.mark.parametrize("looks", [True, False])
def test_closing_leaves_no_record_behind_that_was_given_up(looks, producer):
    """It fails once, and not again when it is purged; a failure that was seen is no news."""
    client = EventClient(
        emit=EmitSettings(delivery_timeout_s=0.05, flush_timeout_s=30), producer=producer
    )
    receipt = client.emit(LIKE)
    first = receipt.exception(30) if looks else None

    with nullcontext() if looks else pytest.raises(DeliveryFailed, match="1 events failed and 0"):
        client.close()

    assert 0 == producer.queued
    assert receipt.exception() is (first or receipt.error)
    assert "overdue" in str(receipt.error)


def test_a_closed_client_says_so(producer):
    """A record queued after the last flush would be lost."""
    client = EventClient(emit=EmitSettings(), producer=producer)
    client.close()

    for use in (
        lambda: client.emit(LIKE),
        lambda: client.emit_many([LIKE]),
        lambda: client.ready(PhotoLiked),
        client.flush,
    ):
        with pytest.raises(ClientClosed, match="closed"):
            use()


def test_a_closed_client_frees_its_producer():
    """A client that lives on as an attribute must not hold connections."""
    producer = FakeProducer(delivers=True)
    freed = weakref.ref(producer)
    client = EventClient(emit=EmitSettings(), producer=producer)
    client.emit(LIKE)
    client.close()

    del producer
    gc.collect()

    assert freed() is None


def test_after_a_fatal_error_the_client_refuses_to_go_on(client, producer):
    """A new producer could overtake what is still under way, so the caller decides."""
    receipt = client.emit(LIKE)
    producer.failure = "broken"
    producer.fail("purged")

    with pytest.raises(ClientClosed, match="broken"):
        client.emit(LIKE)
    assert receipt.exception(10).is_unknown


def test_the_child_of_a_fork_is_refused_and_leaves_the_parents_records_alone(client, producer):
    """Threads do not survive a fork: records emitted there would never leave."""
    client.emit(LIKE)
    pipe, far = os.pipe()
    child = os.fork()
    if child == 0:
        said = ""
        try:
            client.emit(LIKE)
        except ClientClosed as exc:
            said = str(exc)
        client.close()
        os.write(far, f"{producer.is_abandoned} {producer.queued} {said}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(pipe, 1_000).decode()
    os.close(pipe)
    os.close(far)

    assert said.startswith("True 1 the client was opened by process")
    assert not producer.is_abandoned
