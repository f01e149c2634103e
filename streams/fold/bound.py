"""A fold bound to a catalog: keys, handlers and results ready for the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from streams.errors import ConfigurationError, SchemaMismatch, TooLarge
from streams.events.message import Event, Message, Result
from streams.fold.declaration import Fold, Handler, ResultRule
from streams.ports.records import Outgoing
from streams.state.codec import StateCodec
from streams.state.memory import MemoryStore
from streams.topics.catalog import Catalog
from streams.topics.keys import Key, ReadKey, key_text
from streams.topics.route import Route
from streams.topics.topic import Kind, Topic

MAX_OUTPUT_BYTES = 900_000
"""A larger fact or result parks its key: Kafka's default limit is a million bytes a record."""


class BoundFold:
    """One fold with its catalog. Immutable; shared by all partitions of a worker.

    `results` are the results topics whose keys are those of its states.

    Raises ConfigurationError when the declaration and the catalog do not fit.
    """

    def __init__(self, fold: Fold, catalog: Catalog) -> None:
        self.fold = fold
        self.name = fold.name
        self.version = fold.version
        self.catalog = catalog
        self.topic = _input_topic(fold, catalog)
        _check_state(fold)
        self.handlers: dict[type[Message], Handler] = dict(fold.handlers)
        self._readers = {one: _key_reader(fold, self.topic, one, catalog) for one in self.handlers}
        self._uniform = _uniform_key(fold, self.topic, catalog, self.handlers)
        self._results = [BoundResult(rule, fold, catalog) for rule in fold.results]
        self.emits = {one: _emitted(fold, Route(one, catalog)) for one in fold.emits}
        emitted = [route.topic for route in self.emits.values()]
        self.outputs = (*(result.topic for result in self._results), *emitted)
        self.results = tuple(
            one.topic.name
            for one in self._results
            if one.topic.kind is Kind.RESULTS and one.topic.key == fold.key
        )

    def codec(self) -> StateCodec:
        """A codec of this fold's states."""
        return StateCodec(self.name, self.fold.state)

    def keys(self, events: Sequence[Message]) -> list[Key]:
        """The state keys of events that have handlers, one each."""
        if self._uniform is not None:
            return list(map(self._uniform, events))
        readers = self._readers
        return [readers[type(event)](event) for event in events]

    def conclude(
        self, key: Key, state: Any, headers: Sequence[tuple[str, bytes]]
    ) -> list[Outgoing]:
        """The records to publish for one key's state; whatever a result function raises."""
        return [
            record for result in self._results for record in result.records(key, state, headers)
        ]


class BoundResult:
    """One result rule with its output topic and encoders."""

    def __init__(self, rule: ResultRule, fold: Fold, catalog: Catalog) -> None:
        self.topic = catalog.topic(rule.into)
        self.conclude = rule.conclude
        self._fold = fold.name
        self._may_remove = fold.key == self.topic.key and not self.topic.partition_by
        _check_result(rule, fold, self.topic)
        upserts = [one for one in catalog.types_of(rule.into) if issubclass(one, Result)]
        self._routes = {one: Route(one, catalog) for one in upserts}

    def records(self, key: Key, state: Any, headers: Sequence[tuple[str, bytes]]) -> list[Outgoing]:
        """One record, several, or a tombstone."""
        found = self.conclude(key, state)
        if found is None:
            return [self._tombstone(key, headers)]
        messages = found if isinstance(found, list) else [found]
        return [self._record(message, headers) for message in messages]

    def _record(self, message: Any, headers: Sequence[tuple[str, bytes]]) -> Outgoing:
        route = self._routes.get(type(message))
        if route is None:
            raise SchemaMismatch(
                f"{self._fold}: found a {type(message).__name__} for {self.topic.name}, wanted "
                f"{' or '.join(one.__name__ for one in self._routes)}",
                type_name=type(message).__name__,
            )
        return outgoing(route, message, headers)

    def _tombstone(self, key: Key, headers: Sequence[tuple[str, bytes]]) -> Outgoing:
        if not (self.topic.is_compacted and self._may_remove):
            raise SchemaMismatch(
                f"{self._fold}: found None for {self.topic.name}, wanted that only into a "
                "compacted topic with the fold's own key; publish an explicit zero instead"
            )
        return Outgoing(self.topic.name, key_text(key).encode(), None, headers, None)


def outgoing(route: Route, message: Message, headers: Sequence[tuple[str, bytes]]) -> Outgoing:
    """The record of a fact or result; TooLarge when a broker would refuse it."""
    value = route.encode(message)
    if len(value) > MAX_OUTPUT_BYTES:
        raise TooLarge(
            f"found a {message.avro_name} of {len(value):,} bytes for {route.topic.name}, wanted "
            f"at most {MAX_OUTPUT_BYTES:,}",
            size_bytes=len(value),
            limit_bytes=MAX_OUTPUT_BYTES,
        )
    return Outgoing(route.topic.name, route.key(message), value, headers, route.partition(message))


def _check_state(fold: Fold) -> None:
    """A state that cannot be saved would only be met at the first checkpoint."""
    try:
        codec, puts = StateCodec(fold.name, fold.state), dict[bytes, bytes]()
        codec.save(0, fold.state(), puts, [], MemoryStore())
    except (TypeError, NotImplementedError) as exc:
        raise ConfigurationError(
            f"{fold.name}: found a state that cannot be saved ({exc}), wanted a type without "
            "required arguments, of msgspec-encodable fields, Members, MemberSets or Entries"
        ) from exc


def _input_topic(fold: Fold, catalog: Catalog) -> Topic:
    topic = catalog.topic(fold.reads)
    if topic.is_compacted:
        raise ConfigurationError(
            f"{fold.name} reads {topic.name}, which is compacted; a fold needs every record: read "
            "the events the results were made of"
        )
    if not fold.handlers:
        raise ConfigurationError(f"{fold.name} has no handler; add one with @{fold.name}.on(Type)")
    for event_type in fold.handlers:
        if catalog.topic_of(event_type).name != topic.name:
            raise ConfigurationError(
                f"{fold.name} handles {event_type.avro_name}, which is on "
                f"{catalog.topic_of(event_type).name}, but reads {topic.name}"
            )
    return topic


def _key_reader(fold: Fold, topic: Topic, event_type: type[Message], catalog: Catalog) -> ReadKey:
    if fold.key == topic.key:
        return catalog.key_of(event_type)
    fields = tuple(fold.key.split(":"))
    allowed = topic.partition_by or topic.keys[event_type.avro_name]
    if topic.is_pair or set(fields) != set(allowed):
        raise ConfigurationError(
            f"{fold.name}: found the key {fold.key!r}, wanted {topic.key!r} or the fields that "
            f"pick the partition of {topic.name}: {', '.join(allowed)}"
        )
    return attrgetter(*fields)


def _uniform_key(
    fold: Fold, topic: Topic, catalog: Catalog, types: dict[type[Message], Handler]
) -> Callable[[Message], Key] | None:
    """One reader for all types where the key is the same field in each."""
    if topic.is_pair:
        return None
    if fold.key != topic.key:
        return attrgetter(*fold.key.split(":"))
    fields = {catalog.key_fields(one) for one in types}
    return attrgetter(*fields.pop()) if len(fields) == 1 else None


def _check_result(rule: ResultRule, fold: Fold, topic: Topic) -> None:
    if topic.kind not in (Kind.RESULTS, Kind.FACTS):
        raise ConfigurationError(
            f"{fold.name} publishes results into {topic.name} ({topic.kind}); wanted a results "
            "topic, or the upserts of a facts topic"
        )
    if rule.key is not None and rule.key != topic.key:
        raise ConfigurationError(
            f"{fold.name}: found key={rule.key!r} for {topic.name}, whose key is {topic.key!r}"
        )


def _emitted(fold: Fold, route: Route) -> Route:
    if route.topic.kind not in (Kind.FACTS, Kind.EFFECTS) or not issubclass(
        route.event_type, Event
    ):
        raise ConfigurationError(
            f"{fold.name} emits {route.event_type.avro_name} into {route.topic.name} "
            f"({route.topic.kind}); wanted a fact of a facts or effects topic: publish upserts "
            "with @fold.result"
        )
    return route
