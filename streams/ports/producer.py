"""What the SDK asks of a producer; `streams.kafka` answers, and a fake in the unit tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from streams.errors import StreamsError

WireHeaders = Sequence[tuple[str, bytes]]


class Report(Protocol):
    """Where a record landed, asked for inside the delivery callback."""

    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def latency(self) -> float | None:
        """Seconds since the record was queued; None where that is not known."""


OnDelivery = Callable[[Any, Report], None]
"""Called once a record with (None, where it landed) or (the client's error, a report).

Runs inside `poll` or `flush`, in whichever thread called them. It must not raise, must not call the
producer, and must not hold the last reference to it.
"""


class Send(Protocol):
    """Queues records of one topic, in order; returns before they are sent."""

    def __call__(
        self,
        value: bytes,
        key: bytes,
        partition: int,
        on_delivery: OnDelivery,
        headers: WireHeaders | None = None,
    ) -> None:
        """Queue a record. `partition` -1 = by murmur2 of the key, as Java does.

        BufferError when the bounded queue is full; ClientClosed after a fatal error; DeliveryFailed
        for what the client knows to be impossible.
        """


class Producer(Protocol):
    """An idempotent producer with a bounded queue. Safe from any thread."""

    def sender(self, topic: str) -> Send:
        """A function that queues records of a topic (its logical name)."""

    def poll(self, timeout_s: float) -> int:
        """Serve delivery reports, waiting for the first at most `timeout_s`; returns how many.

        Never raises.
        """

    def flush(self, timeout_s: float) -> int:
        """Send all that is queued and serve its reports; the number still waiting. Never raises."""

    def explain(self, error: Any, topic: str) -> StreamsError:
        """Our error for what a delivery callback got."""

    def overdue(self, topic: str) -> StreamsError:
        """Our error for a record that waits for its acknowledgement for too long."""

    @property
    def was_reached(self) -> bool:
        """Whether a broker ever answered: if not, no record can have left this process."""

    @property
    def failure(self) -> str:
        """Why nothing can be sent any more; empty while all is well."""

    @property
    def queued(self) -> int:
        """Records whose delivery is not yet reported."""

    def partitions(self, timeout_s: float) -> dict[str, int]:
        """Partition counts of the topics on the broker, by logical name.

        BrokerUnavailable when none answers in time.
        """

    def discard(self) -> None:
        """Give up what is queued; its failures are reported before this returns."""

    def abandon(self) -> None:
        """Never touch the client again, not even to free it: this process is a fork's child."""
