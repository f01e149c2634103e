"""Where events of a type go, and how they become bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streams.errors import ConfigurationError, TooLarge, UnknownEvent
from streams.events.base import UNSTAMPED, Event, Result
from streams.ports.producer import Send
from streams.sdk.delivery import Delivery
from streams.sdk.receipt import Receipt
from streams.topics.catalog import Catalog
from streams.topics.partitioner import partition_of
from streams.topics.topic import Kind


class Parcel(msgspec.Struct, eq=False, gc=False):
    """An event ready to be sent, and its receipt. `partition` -1 = by the key."""

    route: Route
    value: bytes
    key: bytes
    partition: int
    receipt: Receipt


class Route:
    """What one type needs on its way out; made once a client and type.

    `emitted` counts since the metrics last took it, guarded by the client's lock.
    """

    __slots__ = (
        "_delivery", "_encode", "_key_text", "_max_bytes", "_partition_text", "_stamp", "emitted",
        "partitions", "send", "topic",
    )  # fmt: skip

    def __init__(
        self,
        event_type: type[Event],
        sender: Callable[[str], Send],
        *,
        delivery: Delivery,
        max_bytes: int,
        stamp: Callable[[Any], Any] = lambda event: event,
    ) -> None:
        catalog = _catalog_of(event_type)
        topic = catalog.topic_of(event_type)
        self.topic = topic.name
        self.partitions = topic.partitions
        self.send = sender(topic.name)
        self.emitted = 0
        self._delivery = delivery
        self._max_bytes = max_bytes
        self._stamp = stamp
        self._encode: Callable[[Any], bytes] = catalog.encoder(event_type).encode
        self._key_text: Callable[[Any], str] = catalog.key_text(event_type)
        self._partition_text: Callable[[Any], str] | None = catalog.partition_text(event_type)

    def pack(self, event: Any) -> Parcel:
        """The record of an event; SchemaMismatch or TooLarge if it can be none."""
        if event.event_id == UNSTAMPED or event.occurred_at == 0:
            event = self._stamp(event)
        value = self._encode(event)
        if len(value) > self._max_bytes:
            raise _too_large(event, len(value), self._max_bytes)
        partition = -1
        if self._partition_text is not None:
            partition = partition_of(self._partition_text(event).encode(), self.partitions)
        receipt = Receipt(self._delivery, self.topic, event.event_id)
        return Parcel(self, value, self._key_text(event).encode(), partition, receipt)


def _too_large(event: Event, size_bytes: int, limit_bytes: int) -> TooLarge:
    return TooLarge(
        f"{event.avro_name}: found {size_bytes:,} bytes, wanted at most {limit_bytes:,}; keep "
        "large things elsewhere and emit where they are",
        size_bytes=size_bytes,
        limit_bytes=limit_bytes,
    )


def _catalog_of(event_type: type[Any]) -> Catalog:
    """The catalog of a type that may be emitted; UnknownEvent for any other."""
    name = f"{event_type.__module__}.{event_type.__qualname__}"
    if not issubclass(event_type, Event | Result):
        raise UnknownEvent(
            f"found {name}, wanted an event type generated from a schema, such as "
            "schemas.social.PhotoLiked"
        )
    try:
        catalog = Catalog.of(event_type)
    except ConfigurationError as exc:
        raise UnknownEvent(f"found {name}, which no usable schemas package holds: {exc}") from exc
    if issubclass(event_type, Result) or catalog.topic_of(event_type).kind is Kind.RESULTS:
        raise UnknownEvent(f"found {name}, wanted an event: only folds write results and upserts")
    return catalog
