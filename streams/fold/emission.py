"""Facts that handlers emit: ids and times derived from the event in hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from streams.errors import ConfigurationError
from streams.events.ids import derived_event_id, format_event_id
from streams.events.message import Event, Message
from streams.fold.bound import BoundFold, outgoing
from streams.ports.records import Outgoing, Position


class Emission:
    """Implements `Context`: stamps, encodes and collects what one fold emits on one partition.

    While `is_silent` (recovery) it does the same work and keeps nothing. `log_id` tells a topic
    from one of the same name that was folded before: without it, facts made of records with equal
    offsets would have equal ids. Owned by the worker's thread; `begin` is called before each event.
    """

    __slots__ = ("_event", "_fold", "_log", "_ordinals", "_routes", "_source", "events",
                 "is_silent", "offset", "outgoing", "partition", "topic")  # fmt: skip

    def __init__(self, fold: BoundFold, partition: int, log_id: str = "") -> None:
        self._fold = fold.name
        self._routes = fold.emits
        self._ordinals: Counter[tuple[str, bytes]] = Counter()
        self._source: list[tuple[str, bytes]] | None = None
        self._event: Any = None
        self.topic = fold.topic.name
        self._log = f"{self.topic}@{log_id}" if log_id else self.topic
        self.partition = partition
        self.offset = -1
        self.is_silent = False
        self.outgoing: list[Outgoing] = []
        self.events: list[Event] | None = None

    def begin(self, event: Any, offset: int) -> None:
        """The event in hand, and its offset."""
        self._event = event
        self.offset = offset
        if self._source is not None:
            self._ordinals.clear()
            self._source = None

    @property
    def position(self) -> Position:
        """Where the event in hand stands in the log."""
        return Position(self.topic, self.partition, self.offset)

    def emit(self, event: Event) -> None:
        """Append a fact, once, in the transaction that commits the event in hand."""
        route = self._routes.get(type(event))
        if route is None:
            raise ConfigurationError(
                f"{self._fold} emits a {type(event).__name__}; wanted one of its `emits`: "
                f"{', '.join(one.__name__ for one in self._routes) or 'none is listed'}"
            )
        key = route.key(event)
        name = (event.avro_name, key)
        ordinal = self._ordinals[name]
        self._ordinals[name] = ordinal + 1
        if self._source is None:
            self._source = told_by(("source", str(self.position).encode()), self._event)
        if self.is_silent:
            outgoing(route, event, self._source)  # so that what it refuses is refused again
            return
        stamped = msgspec.structs.replace(
            event,
            event_id=derived_event_id(
                self._fold,
                self._log,
                self.partition,
                self.offset,
                (event.avro_name, key.decode(), ordinal),
            ),
            occurred_at=getattr(self._event, "occurred_at", 0),
        )
        self.outgoing.append(outgoing(route, stamped, self._source))
        if self.events is not None:
            self.events.append(stamped)


def told_by(source: tuple[str, bytes], event: Message) -> list[tuple[str, bytes]]:
    """The headers of an output: its source, and the id of the event behind it.

    Upserts between two folds have no id; what follows from one names its source only.
    """
    cause = getattr(event, "event_id", None)
    if cause is None:
        return [source]
    return [source, ("causation", format_event_id(cause).encode())]
