"""Headers about a record: who emitted it, what caused it, which trace it belongs to."""

from __future__ import annotations

import re
import sys
from typing import Any

from streams.errors import InputError
from streams.events.ids import format_event_id
from streams.events.message import UNSTAMPED, Event
from streams.ports.producer import WireHeaders

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
"""https://www.w3.org/TR/trace-context/#traceparent-header"""


class HeaderWriter:
    """Makes the headers of one client's records."""

    def __init__(self, source: str) -> None:
        self._static = [("producer", source.encode())] if source else []

    def write(self, cause: Event | bytes | None, traceparent: str | None) -> WireHeaders | None:
        """The headers of a record; None when there are none. InputError for a wrong argument."""
        if traceparent is None:
            traceparent = _current_span()
        elif not _TRACEPARENT.fullmatch(traceparent):
            raise InputError(
                f"found the traceparent {traceparent!r}, wanted W3C trace context such as "
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            )
        if traceparent is None and cause is None:
            return self._static or None
        headers = self._static.copy()
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        if cause is not None:
            headers.append(("causation", format_event_id(_id_of(cause)).encode()))
        return headers


def _id_of(cause: Event | bytes) -> bytes:
    event_id: Any = cause if isinstance(cause, bytes) else getattr(cause, "event_id", None)
    if not isinstance(event_id, bytes) or len(event_id) != 16 or event_id == UNSTAMPED:
        raise InputError(
            f"found the cause {cause!r:.80}, wanted an event that has its event_id, or the 16 "
            "bytes of one (`receipt.event_id` is the id that an event was emitted with)"
        )
    return event_id


def _current_span() -> str | None:
    """The `traceparent` of OpenTelemetry's current span; None when nobody loaded OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
