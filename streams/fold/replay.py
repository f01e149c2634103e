"""A fold in memory: the same handlers and results over a list of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from streams.events.message import Event, Message
from streams.fold.bound import BoundFold
from streams.fold.declaration import Fold
from streams.fold.emission import Emission
from streams.topics.catalog import Catalog
from streams.topics.keys import Key


class Replayed(Mapping[Key, Any]):
    """What a fold concluded: `replayed[key]` is the key's first result.

    `of(topic)` gives the results for one topic by key, `states` the final state of each key, and
    `emitted` the facts in order, with ids derived as at offsets 0, 1, 2 … of partition 0.
    """

    def __init__(self, fold: Fold, states: dict[Key, Any], emitted: list[Event]) -> None:
        self.states = states
        self.emitted = emitted
        self._fold = fold

    def of(self, topic: str) -> dict[Key, Any]:
        """The results for one topic, by the fold's key."""
        rules = [rule for rule in self._fold.results if rule.into == topic]
        if not rules:
            wanted = ", ".join(rule.into for rule in self._fold.results) or "no result at all"
            raise KeyError(f"{self._fold.name} has no result into {topic}; it has {wanted}")
        return {key: rules[0].conclude(key, state) for key, state in self.states.items()}

    def __getitem__(self, key: Key) -> Any:
        state = self.states[key]
        return self._fold.results[0].conclude(key, state) if self._fold.results else state

    def __iter__(self) -> Iterator[Key]:
        return iter(self.states)

    def __len__(self) -> int:
        return len(self.states)


def replay(fold: Fold, events: Iterable[Message]) -> Replayed:
    """Fold `events` in their order, those with a handler; raises what a handler raises."""
    catalog = Catalog.of(next(iter(fold.handlers)))
    bound = BoundFold(fold, catalog)
    emission = Emission(bound, 0)
    emission.events = []
    states: dict[Key, Any] = {}
    for offset, event in enumerate(events):
        handler = bound.handlers.get(type(event))
        if handler is None:
            continue
        key = bound.keys([event])[0]
        if key not in states:
            states[key] = fold.state()
        if handler.wants_context:
            emission.begin(event, offset)
            handler.handle(states[key], event, emission)
        else:
            handler.handle(states[key], event)
    for key, state in states.items():
        bound.conclude(key, state, ())
    return Replayed(fold, states, emission.events)
