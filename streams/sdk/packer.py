"""How a client makes records of the events of a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streams.errors import ConfigurationError, TooLarge, UnknownEvent
from streams.events.message import UNSTAMPED, Event, Result
from streams.ports.producer import Send
from streams.sdk.delivery import Delivery
from streams.sdk.receipt import Receipt
from streams.topics.catalog import Catalog
from streams.topics.route import Route


class Parcel(msgspec.Struct, eq=False, gc=False):
    """An event ready to be sent, and its receipt. `partition` -1 = by the key."""

    packer: Packer
    value: bytes
    key: bytes
    partition: int
    receipt: Receipt


class Packer:
    """What one type needs on its way out of a client; made once a client and type.

    `emitted` holds receipts since the client last took them, guarded by its lock.
    """

    __slots__ = (
        "_delivery", "_encode", "_key", "_max_bytes", "_partition", "_stamp", "emitted",
        "partitions", "send", "topic",
    )  # fmt: skip

    def __init__(
        self,
        event_type: type[Event],
        sender: Callable[[str], Send],
        *,
        delivery: Delivery,
        max_bytes: int,
        stamp: Callable[[Any, int], Any] = lambda event, _: event,
    ) -> None:
        route = _route_of(event_type)
        self.topic = route.topic.name
        self.partitions = route.topic.partitions
        self.send = sender(self.topic)
        self.emitted: list[Receipt] = []
        self._delivery = delivery
        self._max_bytes = max_bytes
        self._stamp = stamp
        self._encode = route.encode
        self._key = route.key
        self._partition: Callable[[Any], Any] | None = None if route.is_by_key else route.partition

    def pack(self, event: Any, at_us: int = 0) -> Parcel:
        """The record of an event; SchemaMismatch or TooLarge if it can be none.

        An event without a time is given `at_us`; 0 = that of this moment.
        """
        if event.event_id == UNSTAMPED or event.occurred_at == 0:
            event = self._stamp(event, at_us)
        value = self._encode(event)
        if len(value) > self._max_bytes:
            raise _too_large(event, len(value), self._max_bytes)
        partition = -1 if self._partition is None else self._partition(event)
        receipt = Receipt(self._delivery, self.topic, event.event_id)
        return Parcel(self, value, self._key(event), partition, receipt)


def _too_large(event: Event, size_bytes: int, limit_bytes: int) -> TooLarge:
    return TooLarge(
        f"{event.avro_name}: found {size_bytes:,} bytes, wanted at most {limit_bytes:,}; keep "
        "large things elsewhere and emit where they are",
        size_bytes=size_bytes,
        limit_bytes=limit_bytes,
    )


def _route_of(event_type: type[Any]) -> Route:
    """The route of a type that may be emitted; UnknownEvent for any other."""
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
    topic = catalog.topic_of(event_type)
    if not topic.is_emitted:
        raise UnknownEvent(
            f"found {name} of {topic.name}, a topic of kind {topic.kind}, wanted an event: this "
            "one is written by folds alone"
        )
    return Route(event_type, catalog)
