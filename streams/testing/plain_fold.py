"""The same folds once more, in the plainest way: one event after the other, nothing kept but state.

What workers publish is held against this. It shares the declarations with them, and no loop, cache,
store, batch or commit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from streams.errors import ConfigurationError
from streams.events.ids import derived_event_id
from streams.events.message import Event, Message
from streams.fold.bound import BoundFold
from streams.ports.records import Position, TopicPartition
from streams.topics.catalog import Catalog
from streams.topics.keys import Key, key_text
from streams.topics.partitioner import partition_of
from streams.topics.route import Route


class Raised(Exception):
    """A handler or a result of a fold raised; `cause` is what it raised."""

    def __init__(self, fold: str, key: Key, offset: int | None, cause: Exception) -> None:
        super().__init__(f"{fold}: {type(cause).__name__}: {cause}")
        self.fold = fold
        self.key = key
        self.offset = offset
        self.cause = cause


class Output(NamedTuple):
    """A record that must be published. `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


@dataclass(slots=True)
class PlainContext:
    """Implements `Context` for one event."""

    position: Position
    fold: BoundFold
    time_us: int
    emitted: list[Event] = field(default_factory=list)
    _ordinals: Counter[tuple[str, bytes]] = field(default_factory=Counter)

    def emit(self, event: Event) -> None:
        """Note a fact with the id that it must have; ConfigurationError for one of another type."""
        if type(event) not in self.fold.emits:
            raise ConfigurationError(
                f"{self.fold.name} emits a {type(event).__name__}, which its `emits` does not list"
            )
        key = self.fold.emits[type(event)].key(event)
        name = (event.avro_name, key.decode(), self._ordinals[event.avro_name, key])
        self._ordinals[event.avro_name, key] += 1
        event_id = derived_event_id(self.fold.name, *self.position, name)
        stamped: Event = msgspec.structs.replace(event, event_id=event_id, occurred_at=self.time_us)
        self.emitted.append(stamped)


class PlainFold:
    """One fold over one partition. `states` are those after the events folded so far."""

    def __init__(self, fold: BoundFold) -> None:
        self.fold = fold
        self.states: dict[Key, Any] = {}
        self.parked: dict[Key, int] = {}

    def key(self, event: Message) -> Key:
        """The state key of an event that has a handler."""
        return self.fold.keys([event])[0]

    def handles(self, event: Message) -> bool:
        """Whether the fold looks at the event at all."""
        return type(event) in self.fold.handlers

    def takes(self, key: Key, offset: int) -> bool:
        """Whether a key is not parked at an offset."""
        return key not in self.parked or offset < self.parked[key]

    def take(self, source: TopicPartition, offset: int, event: Message) -> list[Event]:
        """Fold one event; returns the facts it emits. Raised when its handler raises."""
        key = self.key(event)
        handler = self.fold.handlers[type(event)]
        context = PlainContext(
            Position(*source, offset), self.fold, getattr(event, "occurred_at", 0)
        )
        if key not in self.states:
            self.states[key] = self.fold.fold.state()
        try:
            if handler.wants_context:
                handler.handle(self.states[key], event, context)
            else:
                handler.handle(self.states[key], event)
        except Exception as exc:
            raise Raised(self.fold.name, key, offset, exc) from exc
        return context.emitted

    def results(self, key: Key) -> list[tuple[str, Message | None]]:
        """What the fold says about a key now: topics, and messages or a tombstone."""
        state = self.states[key]
        found: list[tuple[str, Message | None]] = []
        for rule in self.fold.fold.results:
            try:
                concluded = rule.conclude(key, state)
            except Exception as exc:
                raise Raised(self.fold.name, key, None, exc) from exc
            several = concluded if isinstance(concluded, list) else [concluded]
            found += [(rule.into, one) for one in several]
        return found


class Packing:
    """Messages as the records they must become. One thread owns it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._routes: dict[type[Message], Route] = {}

    def output(self, topic: str, key: Key, message: Message | None) -> Output:
        """The record of a fact or result, or of the tombstone of a fold's key."""
        if message is None:
            name = key_text(key).encode()
            return Output(topic, self._home(topic, name), name, None)
        route = self.route(type(message))
        name, partition = route.home(message)
        return Output(topic, partition, name, route.encode(message))

    def route(self, event_type: type[Message]) -> Route:
        """The way of a type onto its topic."""
        if event_type not in self._routes:
            self._routes[event_type] = Route(event_type, self._catalog)
        return self._routes[event_type]

    def _home(self, topic: str, key: bytes) -> int:
        return partition_of(key, self._catalog.topic(topic).partitions)
