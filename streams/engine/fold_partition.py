"""One fold on one partition: the hot loop, and what it has to publish."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import length_hint
from typing import Any

from streams.engine.raise_place import raise_place
from streams.errors import StreamsError
from streams.events.message import Message
from streams.fold.bound import BoundFold
from streams.fold.emission import Emission, told_by
from streams.ports.records import Outgoing
from streams.ports.store import Store
from streams.state.cache import StateCache
from streams.topics.keys import Key


class HandlerRaised(StreamsError):
    """A handler or result of a user's fold raised; the partition parks `key` from `offset`.

    `offset` None: a result. `where` is `file:line` of the raise.
    """

    def __init__(self, fold: str, key: Key, offset: int | None, error: Exception) -> None:
        self.fold = fold
        self.key = key
        self.offset = offset
        self.reason = type(error).__name__
        self.detail = _text(error)
        self.where = raise_place(error)
        super().__init__(f"{fold}: {self.reason}: {self.detail}")


@dataclass(frozen=True, slots=True)
class Selection:
    """The events of one batch that a fold takes, with their keys and offsets, in log order.

    `last` holds each key that occurs with its last event, `types` are the types that occur.
    """

    events: Sequence[Message]
    keys: Sequence[Key]
    offsets: Sequence[int]
    last: dict[Key, Message]
    types: frozenset[type]

    def since(self, keys: Mapping[Key, int]) -> Selection:
        """Only the events of these keys, each from its offset on."""
        never = sys.maxsize
        places = enumerate(zip(self.keys, self.offsets, strict=True))
        return self.kept([at for at, (key, offset) in places if offset >= keys.get(key, never)])

    def kept(self, places: Sequence[int]) -> Selection:
        """Only the events at these places, which ascend."""
        events = [self.events[at] for at in places]
        keys = [self.keys[at] for at in places]
        offsets = [self.offsets[at] for at in places]
        last = dict(zip(keys, events))  # noqa: B905 same length
        return Selection(events, keys, offsets, last, frozenset(map(type, events)))

    def standing_at(self, offset: int) -> Selection:
        """The same with one offset for all."""
        return replace(self, offsets=[offset] * len(self.events))


class FoldPartition:
    """State, changed keys and emitted facts of one fold on one partition.

    Owned by the worker's thread. `changed` are keys to publish at the next commit, each with the
    event that touched it last; `folded` counts the events that were folded live.
    """

    def __init__(
        self, fold: BoundFold, partition: int, parked: dict[Key, int], *, log_id: str = ""
    ) -> None:
        self.fold = fold
        self.cache = StateCache(fold.codec(), fold.fold.state)
        self.changed: dict[Key, Message] = {}
        self.folded = 0
        self.parked = parked
        self._emission = Emission(fold, partition, log_id)
        self._handles = {one: handler.handle for one, handler in fold.handlers.items()}
        self._wants_context = {
            one for one, handler in fold.handlers.items() if handler.wants_context
        }

    def select(self, events: Sequence[Any], offsets: Sequence[int], types: set[type]) -> Selection:
        """The events this fold handles; `types` are the types that occur in `events`."""
        handled = self._handles
        if not types <= handled.keys():
            taken = [at for at, event in enumerate(events) if type(event) in handled]
            events = [events[at] for at in taken]
            offsets = [offsets[at] for at in taken]
        keys = self.fold.keys(events)
        here = frozenset(types & handled.keys())
        last = dict(zip(keys, events))  # noqa: B905 same length
        return self._without_parked(Selection(events, keys, offsets, last, here))

    def new_keys(self, selection: Selection, store: Store | None) -> list[Key]:
        """Keys without any state yet; all others are in memory afterwards."""
        return self.cache.missing(selection.last, store)

    def run(self, selection: Selection, *, is_silent: bool) -> None:
        """Fold a selection whose keys all have states; HandlerRaised at the first failure."""
        self.cache.changed.update(selection.last)
        if not is_silent:
            self.changed |= selection.last
            self.folded += len(selection.events)
        if selection.types & self._wants_context:
            self._emission.is_silent = is_silent
            self._run_with_context(selection)
        elif len(selection.types) == 1:
            self._run_one_type(selection, self._handles[next(iter(selection.types))])
        else:
            self._run_types(selection)

    @property
    def facts(self) -> list[Outgoing]:
        """Facts emitted since `committed`, in order."""
        return self._emission.outgoing

    def conclude(self, source: tuple[str, bytes]) -> list[Outgoing]:
        """Results of the changed keys, with the header `source` and their causes.

        HandlerRaised (without offset) when a result raises.
        """
        outputs: list[Outgoing] = []
        states = self.cache.states
        for key, event in self.changed.items():
            headers = told_by(source, event)
            try:
                outputs += self.fold.conclude(key, states[key], headers)
            except Exception as exc:
                raise HandlerRaised(self.fold.name, key, None, _own(exc)) from exc
        return outputs

    def committed(self) -> None:
        """What was published is committed."""
        self.changed.clear()
        self._emission.outgoing = []

    def _run_one_type(self, selection: Selection, handle: Callable[..., None]) -> None:
        events = iter(selection.events)
        try:
            for state, event in zip(map(self.cache.states.__getitem__, selection.keys), events):  # noqa: B905 same length
                handle(state, event)
        except Exception as exc:
            raise self._raised(selection, events, exc) from exc

    def _run_types(self, selection: Selection) -> None:
        handles = self._handles
        events = iter(selection.events)
        try:
            for state, event in zip(map(self.cache.states.__getitem__, selection.keys), events):  # noqa: B905 same length
                handles[event.__class__](state, event)
        except Exception as exc:
            raise self._raised(selection, events, exc) from exc

    def _run_with_context(self, selection: Selection) -> None:
        context = self._emission
        handles = self._handles
        wants_context = self._wants_context
        states = self.cache.states
        events = iter(selection.events)
        try:
            for key, offset, event in zip(selection.keys, selection.offsets, events):  # noqa: B905 same length
                event_type = event.__class__
                if event_type in wants_context:
                    context.begin(event, offset)
                    handles[event_type](states[key], event, context)
                else:
                    handles[event_type](states[key], event)
        except Exception as exc:
            raise self._raised(selection, events, exc) from exc

    def _raised(self, selection: Selection, events: Any, exc: Exception) -> HandlerRaised:
        at = len(selection.events) - length_hint(events) - 1
        return HandlerRaised(self.fold.name, selection.keys[at], selection.offsets[at], _own(exc))

    def _without_parked(self, selection: Selection) -> Selection:
        parked = self.parked
        if not parked or parked.keys().isdisjoint(selection.last):
            return selection
        kept = [
            at
            for at, key in enumerate(selection.keys)
            if key not in parked or selection.offsets[at] < parked[key]
        ]
        return selection.kept(kept)


def _text(error: Exception) -> str:
    """What the error says, fit to be written; a user's error may fail to say anything."""
    try:
        text = str(error)
    except Exception:
        text = "the error has no text"
    return text.encode(errors="backslashreplace").decode()


def _own(exc: Exception) -> Exception:
    """The error, unless it is the machine's and not the handler's: that one stops the worker."""
    if isinstance(exc, MemoryError):
        raise exc
    return exc
