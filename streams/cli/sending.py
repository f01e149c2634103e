"""Emits numbered events and keeps account of what became of each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from streams.clock import Deadline, monotonic_s
from streams.errors import BrokerUnavailable, DeliveryFailed, InputError, StreamsError
from streams.events.message import Event
from streams.sdk import EventClient, Receipt
from streams.views.latest import Progress

_REPORT_EVERY: Final = 2_000


class Sending:
    """One run of `streams emit`: `expect`, `run`, then the counts in `topics`. Used once."""

    def __init__(self, client: EventClient, *, per_s: float | None = None) -> None:
        self.topics: Counter[str] = Counter()  # acknowledged events by topic
        self._client = client
        self._per_s = per_s
        self._expected: set[type[Event]] = set()
        self._pending: deque[tuple[int, Receipt]] = deque()
        self._sent = 0
        self._last_line = 0
        self._failures: list[tuple[int, StreamsError]] = []

    def expect(self, *event_types: type[Event]) -> None:
        """Make sure of a broker and of the topics of these types, before anything is sent."""
        self._client.ready(*event_types)
        self._expected.update(event_types)

    def run(self, numbered: Iterable[tuple[int, Event]], total: int, report: Progress) -> None:
        """Emit events in order, up to the first that fails, and wait for all acknowledgements.

        `total` is 0 where it is not known. DeliveryFailed names the line that failed first;
        BrokerUnavailable when nothing arrived at all. An InputError of the lines, or a missing
        topic, passes as it is while nothing was sent.
        """
        started_s = monotonic_s()
        stopped: StreamsError | None = None
        try:
            for number, event in numbered:
                self._emit(number, event)
                self._settle(is_last=False)
                if self._failures:
                    break
                if self._per_s is not None:
                    Deadline(started_s + self._sent / self._per_s).pause()
                if self._sent % _REPORT_EVERY == 0:
                    report(self._sent, total)
        except StreamsError as exc:
            stopped = exc
        self._settle(is_last=True)
        self._raise_what_failed(stopped)

    def _emit(self, number: int, event: Event) -> None:
        if type(event) not in self._expected:
            self.expect(type(event))
        try:
            receipt = self._client.emit(event)
        except InputError as exc:
            raise InputError(f"line {number}: {exc}") from exc
        self._pending.append((number, receipt))
        self._sent += 1
        self._last_line = number

    def _settle(self, *, is_last: bool) -> None:
        """Take account of acknowledgements, in the order of the lines."""
        pending = self._pending
        while pending and (is_last or pending[0][1].done):
            number, receipt = pending.popleft()
            error = receipt.exception()
            if error is None:
                self.topics[receipt.topic] += 1
            else:
                self._failures.append((number, error))

    def _raise_what_failed(self, stopped: StreamsError | None) -> None:
        arrived = self.topics.total()
        if self._failures:
            number, error = self._failures[0]
            message = (
                f"{len(self._failures):,} of {self._sent:,} events were not acknowledged, the "
                f"first in line {number}: {error}; nothing after line {self._last_line} was sent"
            )
            if arrived == 0 and isinstance(error, BrokerUnavailable):
                raise BrokerUnavailable(message) from error
            raise DeliveryFailed(message, count=len(self._failures)) from error
        if stopped is not None:
            if self._sent == 0:
                raise stopped
            raise StreamsError(
                f"{stopped}; the {arrived:,} events before it were sent"
            ) from stopped
