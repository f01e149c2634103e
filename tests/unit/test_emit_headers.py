"""Headers that the client puts on records."""

from __future__ import annotations

import msgspec
import pytest
from opentelemetry import trace

from schemas.social import PhotoLiked
from streams.errors import InputError
from streams.events.message import UNSTAMPED
from streams.sdk import EventClient
from streams.settings import EmitSettings

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


def test_headers_tell_cause_trace_and_source(producer):
    """They are about the record; the event's bytes stay what they are."""
    cause = msgspec.structs.replace(LIKE, event_id=bytes(range(16)))
    with EventClient(emit=EmitSettings(source="web"), producer=producer) as client:
        client.emit(LIKE)
        client.emit(LIKE, cause=cause, traceparent=TRACE)
        client.emit_many([LIKE], cause=cause.event_id)
        producer.deliver()

    causation = ("causation", b"00010203-0405-0607-0809-0a0b0c0d0e0f")
    assert [
        [("producer", b"web")],
        [("producer", b"web"), ("traceparent", TRACE.encode()), causation],
        [("producer", b"web"), causation],
    ] == [list(record.headers) for record in producer.sent]


def test_the_current_span_gives_the_traceparent(client, producer):
    """A trace must not end where an event begins."""
    context = trace.SpanContext(
        int(TRACE[3:35], 16),
        int(TRACE[36:52], 16),
        is_remote=False,
        trace_flags=trace.TraceFlags(1),
    )
    with trace.use_span(trace.NonRecordingSpan(context)):
        client.emit(LIKE)
    client.emit(LIKE)
    producer.deliver()

    assert [[("traceparent", TRACE.encode())], []] == [list(r.headers) for r in producer.sent]


@pytest.mark.parametrize(
    "wrong",
    [
        {"traceparent": "00-1-2-01"},
        {"traceparent": TRACE.upper()},
        {"traceparent": "ff" + TRACE[2:]},
        {"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"},
        {"cause": LIKE},
        {"cause": b"short"},
        {"cause": UNSTAMPED},
    ],
)
def test_a_wrong_trace_or_cause_is_refused(client, producer, wrong):
    """A header that nobody can parse breaks the reader, later and elsewhere."""
    with pytest.raises(InputError, match="found"):
        client.emit(LIKE, **wrong)

    assert 0 == producer.queued
