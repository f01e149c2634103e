"""A future of one record: where it landed, or why it did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from streams.errors import StreamsError
from streams.ports.producer import Report
from streams.ports.records import Position

if TYPE_CHECKING:
    from streams.sdk.delivery import Delivery


class Receipt(msgspec.Struct, eq=False, gc=False):
    """What `emit` returns. It is also the delivery callback of its record.

    `event_id` is the id that the event was written with, good for `cause=` of a later emit.
    `partition` and `offset` are None until the record is acknowledged; `offset` is -1 where the
    broker recognised a repeated send and kept no note of the first one's place. A receipt that was
    given up keeps its error, whatever the record comes to. The other fields belong to the client.
    """

    delivery: Delivery
    topic: str
    event_id: bytes
    partition: int | None = None
    offset: int | None = None
    error: StreamsError | None = None
    callbacks: list[Callable[[Receipt], object]] | None = None
    is_seen: bool = False
    counted_in: int = 0

    @property
    def done(self) -> bool:
        """Whether it is settled, one way or the other."""
        return self.offset is not None or self.error is not None

    def result(self, timeout_s: float | None = None) -> Position:
        """The record's position; waits for it.

        Raises what became of it: DeliveryFailed or BrokerUnavailable; TimeoutError when it is not
        settled after `timeout_s`; ClientClosed in the child of a fork.
        """
        error = self.exception(timeout_s)
        if error is not None:
            raise error
        return Position(self.topic, self.partition or 0, -1 if self.offset is None else self.offset)

    def exception(self, timeout_s: float | None = None) -> StreamsError | None:
        """Why the record failed, None if it did not; waits for it like `result`."""
        if not self.done:
            self.delivery.wait(self, timeout_s)
        self.delivery.seen(self)
        return self.error

    def add_callback(self, callback: Callable[[Receipt], object]) -> None:
        """Call `callback(receipt)` once when settled: in the client's own thread, or now if it is.

        In the client's thread, what it raises is logged.
        """
        self.delivery.seen(self)
        self.delivery.call_when_done(self, callback)

    def __call__(self, error: Any, report: Report) -> None:
        """The delivery callback; the client's thread or an emitting one runs it."""
        if error is not None:
            self.delivery.refused(self, error)
            return
        self.partition = report.partition()
        offset = report.offset()
        self.offset = offset if offset >= 0 else -1
        if self.delivery.untimed:
            self.delivery.time(self.topic, report.latency())
        if self.callbacks is not None:
            self.delivery.settled(self)
