"""The facts that a log must lead to, by a plain walk over it: no workers, no commits, no crash.

Only the handlers of the folds are shared with the service; states are kept here, and ids are
derived here from where the event in hand stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from schemas.counters import ActorCounted
from services.counters import SERVICE
from streams.avro.codec import Codec
from streams.clock import Deadline
from streams.events.ids import derived_event_id
from streams.events.message import Event, Message
from streams.fold.declaration import Fold
from streams.kafka.reader import KafkaReader
from streams.ports.records import Position, Record, TopicPartition
from streams.settings import KafkaSettings
from streams.topics.catalog import Catalog

CATALOG = Catalog.of(ActorCounted)
CONTRIBUTIONS = "counters.contributions"


class Ledger:
    """Implements `Context` for one event: what its handler emits is appended to `facts`."""

    def __init__(self, fold: Fold, record: Record, cause: Event, facts: list[Event]) -> None:
        self.position = Position(record.topic, record.partition, record.offset)
        self._fold = fold.name
        self._cause = cause
        self._facts = facts
        self._ordinals: Counter[tuple[str, str]] = Counter()

    def emit(self, event: Event) -> None:
        name, key = type(event).avro_name, CATALOG.key_bytes(type(event))(event).decode()
        output = (name, key, self._ordinals[name, key])
        self._ordinals[name, key] += 1
        fields = {one: getattr(event, one) for one in event.__struct_fields__}
        fields["event_id"] = derived_event_id(self._fold, *self.position, output)
        fields["occurred_at"] = self._cause.occurred_at
        self._facts.append(type(event)(**fields))


def expected_facts(kafka: KafkaSettings) -> Counter[Event]:
    """What the folds emit over the input topics as they are now."""
    facts: list[Event] = []
    for fold in SERVICE.folds:
        if fold.emits:
            _walk(fold, kafka, facts)
    return Counter(facts)


def found_facts(kafka: KafkaSettings) -> Counter[Event]:
    """The facts that a reader of committed records sees."""
    types = {ActorCounted.avro_name: ActorCounted}
    return Counter(fact for _, fact in decoded(kafka, CONTRIBUTIONS, types) if fact is not None)


def decoded(
    kafka: KafkaSettings, topic: str, types: dict[str, type[Message]]
) -> Iterator[tuple[Record, Any]]:
    """Committed records of a topic with their events, in the order of each partition."""
    codec = Codec(CATALOG.registry, types)
    found = records(kafka, topic)
    yield from zip(found, codec.decode_many([one.value for one in found]), strict=True)


def records(kafka: KafkaSettings, topic: str, *, is_committed_only: bool = True) -> list[Record]:
    """Every record of a topic; not only committed = open and aborted ones too."""
    reader = KafkaReader(kafka, is_committed_only=is_committed_only)
    places = [TopicPartition(topic, at) for at in range(_partitions(topic))]
    try:
        return list(reader.read(dict.fromkeys(places, 0), Deadline.after(60)))
    finally:
        reader.close()


def _partitions(topic: str) -> int:
    return CATALOG.topic(topic).partitions


def _walk(fold: Fold, kafka: KafkaSettings, facts: list[Event]) -> None:
    states: dict[Any, Any] = {}
    for record, event in decoded(kafka, fold.reads, {one.avro_name: one for one in fold.handlers}):
        if event is None:
            continue
        key = CATALOG.key_of(type(event))(event)
        if key not in states:
            states[key] = fold.state()
        handler = fold.handlers[type(event)]
        context = (Ledger(fold, record, event, facts),) if handler.wants_context else ()
        handler.handle(states[key], event, *context)
