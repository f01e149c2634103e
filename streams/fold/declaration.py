"""A fold: plain functions that turn one ordered topic into state and results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from streams.errors import ConfigurationError
from streams.events.message import Event, Message

if TYPE_CHECKING:
    from streams.fold.replay import Replayed

Handle = Callable[..., None]
"""`(state, event)` or `(state, event, ctx)`; changes the state in place."""

Conclude = Callable[[Any, Any], Any]
"""`(key, state)` to a result, a list of results, or None (a tombstone)."""

MAX_NAME = 100
"""A fold's name stands in the key of each of its rows, its length in one byte."""

H = TypeVar("H", bound=Handle)
C = TypeVar("C", bound=Conclude)


@dataclass(frozen=True, slots=True)
class Handler:
    """One function for one type. `wants_context` tells that it takes a third argument."""

    handle: Handle
    wants_context: bool


@dataclass(frozen=True, slots=True)
class ResultRule:
    """One function whose value is published for every key that changed in a commit."""

    conclude: Conclude
    into: str
    key: str | None


class Fold:
    """A pure derivation over one topic: `state, event -> state, results`.

    `reads` is the one topic it reads, `key` what its state is kept by: the topic's key, or some of
    the fields that pick the partition. `state` is called without arguments for a key's first
    event. `emits` lists the facts that handlers may `ctx.emit`. Raise `version` when the same log
    must give another answer.

    Raises ConfigurationError for a name, handler or result that cannot work.
    """

    def __init__(
        self,
        name: str,
        *,
        reads: str,
        key: str,
        state: Callable[[], Any],
        emits: Sequence[type[Event]] = (),
        version: int = 1,
    ) -> None:
        if not (name.isidentifier() and name.isascii()) or len(name) > MAX_NAME:
            raise ConfigurationError(
                f"found the fold name {name!r}, wanted a Python identifier of at most {MAX_NAME} "
                "ASCII letters, digits and _"
            )
        if version < 1:
            raise ConfigurationError(f"{name}: found version {version}, wanted 1 or more")
        self.name = name
        self.reads = reads
        self.key = key
        self.state = state
        self.emits = tuple(emits)
        self.version = version
        self.handlers: dict[type[Message], Handler] = {}
        self.results: list[ResultRule] = []

    def __repr__(self) -> str:
        return (
            f"Fold({self.name!r}, reads={self.reads!r}, key={self.key!r}, version={self.version})"
        )

    def on(self, event_type: type[Message]) -> Callable[[H], H]:
        """Register a handler of one type; it must not look at the clock, chance or the network."""

        def register(handle: H) -> H:
            if event_type in self.handlers:
                raise ConfigurationError(f"{self.name}: {event_type.__name__} has two handlers")
            self.handlers[event_type] = Handler(handle, _wants_context(self.name, handle))
            return handle

        return register

    def result(self, *, into: str, key: str | None = None) -> Callable[[C], C]:
        """Register what is published to the topic `into`, once a commit for each changed key.

        `key` names the output topic's key where it is not the fold's (checked when the service
        starts); the record key itself is made of the result's fields.
        """

        def register(conclude: C) -> C:
            if len(inspect.signature(conclude).parameters) != 2:
                raise ConfigurationError(f"{self.name}: a result takes two arguments (key, state)")
            self.results.append(ResultRule(conclude, into, key))
            return conclude

        return register

    def replay(self, events: Iterable[Message]) -> Replayed:
        """Run the same code over `events` in memory: a unit test needs no broker."""
        from streams.fold.replay import replay

        return replay(self, events)


def _wants_context(fold: str, handle: Handle) -> bool:
    if inspect.iscoroutinefunction(handle) or inspect.isgeneratorfunction(handle):
        raise ConfigurationError(
            f"{fold}: found a coroutine or generator {handle.__name__}, wanted a plain function"
        )
    count = len(inspect.signature(handle).parameters)
    if count not in (2, 3):
        raise ConfigurationError(
            f"{fold}: found a handler {handle.__name__} of {count} arguments, wanted (state, "
            "event) or (state, event, ctx)"
        )
    return count == 3
