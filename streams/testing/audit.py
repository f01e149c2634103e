"""Folds one log in several ways that must all give one answer.

Each way stands for something that happens to a service in production: a crash folds the log again
in another process, where sets are walked in another order; a partition that moves is loaded from
what was saved; commits ask for results now and then; partitions are folded beside each other; and
who emits may send an event twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from streams.events.message import Event, Message
from streams.fold.bound import BoundFold
from streams.ports.records import TopicPartition
from streams.state.codec import StateCodec
from streams.state.memory import MemoryStore
from streams.testing.forbidden_calls import ForbiddenCall, noticed
from streams.testing.other_order import in_other_order
from streams.testing.plain_fold import PlainFold, Raised
from streams.topics.keys import Key


class Entry(NamedTuple):
    """An event and where it stands in the log."""

    source: TopicPartition
    offset: int
    event: Message


@dataclass(slots=True)
class Answer:
    """What a fold made of a log: facts by the place they come from, results by topic and key."""

    facts: list[tuple[TopicPartition, int, Event]] = field(default_factory=list)
    results: dict[tuple[str, Key], list[Message | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to fold a log. `says` ends the sentence "it gives another answer …"."""

    says: str
    advice: str
    after_event: Callable[[PlainFold, Key], None] | None = None
    order: Callable[[PlainFold, Sequence[Entry]], Sequence[Entry]] | None = None
    is_doubled: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """Two answers that differ: where, and how."""

    fold: str
    way: Way
    where: str
    expected: str
    found: str


def _saved_and_loaded(fold: PlainFold, key: Key) -> None:
    codec, store = StateCodec(fold.fold.name, fold.fold.fold.state), MemoryStore()
    puts: dict[bytes, bytes] = {}
    codec.save(key, fold.states[key], puts, [], store)
    store.write(puts)
    fold.states[key] = fold.fold.codec().load([key], store)[0]


def _walked_otherwise(fold: PlainFold, key: Key) -> None:
    fold.states[key] = in_other_order(fold.states[key])


def _asked_for_results(fold: PlainFold, key: Key) -> None:
    fold.results(key)


def _key_by_key(fold: PlainFold, log: Sequence[Entry]) -> Sequence[Entry]:
    groups: dict[Any, list[Entry]] = {}
    for entry in log:
        key = fold.key(entry.event) if fold.handles(entry.event) else None
        groups.setdefault(key, []).append(entry)
    return [entry for key in sorted(groups, key=repr) for entry in groups[key]]


AGAIN: Final = Way(
    "when the same log is folded once more",
    "something outside its state takes part, which a crash forgets: keep it in the state",
)
WAYS: Final = (
    AGAIN,
    Way(
        "when the sets in its state are walked in another order",
        "another process walks them differently: sort a set before facts or results are made of it",
        after_event=_walked_otherwise,
    ),
    Way(
        "when its state is saved and loaded after each event",
        "something takes part that is not saved: keep it in fields of the state",
        after_event=_saved_and_loaded,
    ),
    Way(
        "when results are asked for after each event",
        "a result changes the state, so the answer depends on when commits happen: only read there",
        after_event=_asked_for_results,
    ),
    Way(
        "when the events of each key are folded by themselves",
        "keys meet outside their states, but partitions are folded beside each other: keep what "
        "one key needs in its own state",
        order=_key_by_key,
    ),
)
DOUBLED: Final = Way(
    "when each event is delivered twice",
    "keep the ids of what was counted in the state; or, if every delivery is meant to count, pass "
    "duplicates=False",
    is_doubled=True,
)


Found = Difference | ForbiddenCall | Raised
"""Another answer, a question to the clock or to chance, or a handler or result that raised."""


def find_wrong(
    fold: BoundFold, log: Sequence[Entry], ways: Iterable[Way], *, may_raise: bool
) -> Found | None:
    """What is wrong with a fold, as far as this log shows it.

    The first answer is given while globals are as nobody has changed them yet.
    """
    try:
        with noticed() as forbidden:
            plain = answer(fold, log, may_raise=may_raise)
        if forbidden:
            return forbidden[0]
        for way in ways:
            other = answer(fold, log, way, may_raise=may_raise)
            found = _first_difference(fold, way, plain, other)
            if found is not None:
                return found
    except Raised as raised:
        return raised
    return None


def answer(fold: BoundFold, log: Sequence[Entry], way: Way = AGAIN, *, may_raise: bool) -> Answer:
    """Fold a log in one way; a key whose handler raises has no answer from then on."""
    plain, made = PlainFold(fold), Answer()
    for entry in way.order(plain, log) if way.order else log:
        if plain.handles(entry.event) and plain.takes(plain.key(entry.event), 0):
            with _parking(plain, may_raise=may_raise):
                _take(plain, entry, way, made)
    for key in plain.states.keys() - plain.parked.keys():
        with _parking(plain, may_raise=may_raise):
            for topic, message in plain.results(key):
                made.results.setdefault((topic, key), []).append(message)
    return made


def _take(plain: PlainFold, entry: Entry, way: Way, made: Answer) -> None:
    for _ in range(2 if way.is_doubled else 1):
        for fact in plain.take(entry.source, entry.offset, entry.event):
            made.facts.append((entry.source, entry.offset, fact))
        if way.after_event is not None:
            way.after_event(plain, plain.key(entry.event))


@contextmanager
def _parking(plain: PlainFold, *, may_raise: bool) -> Iterator[None]:
    try:
        yield
    except Raised as raised:
        if not may_raise:
            raise
        if raised.offset is not None:  # a result may raise now and not later; when, commits decide
            plain.parked[raised.key] = 0


def _first_difference(fold: BoundFold, way: Way, plain: Answer, other: Answer) -> Difference | None:
    for (topic, key), expected in plain.results.items():
        found = other.results.get((topic, key))
        if sorted(map(repr, found or ())) != sorted(map(repr, expected)):
            return Difference(
                fold.name, way, f"{topic}, key {key!r}", _shown(expected), _shown(found)
            )
    mine, others = _facts(plain, way), _facts(other, way)
    if Counter(mine) == Counter(others):
        return None
    missing = list((Counter(mine) - Counter(others)).elements())
    extra = list((Counter(others) - Counter(mine)).elements())
    return Difference(fold.name, way, _fact_place(missing or extra), _told(missing), _told(extra))


Told = tuple[str, str]
"""Where a fact comes from, and what it says, as texts that can be compared."""


def _facts(made: Answer, way: Way) -> list[Told]:
    """Facts as texts; an event that is delivered twice has two places, so none is told."""
    if not way.is_doubled:
        return [(f"{source}/{offset}", repr(fact)) for source, offset, fact in made.facts]
    plain = {"event_id": b"", "occurred_at": 0}
    return [("", repr(msgspec.structs.replace(fact, **plain))) for _, _, fact in made.facts]


def _fact_place(told: Sequence[Told]) -> str:
    place = told[0][0]
    return f"the facts of the event at {place}" if place else "the facts"


def _told(facts: Sequence[Told]) -> str:
    return ", ".join(text for _, text in facts) or "nothing more"


def _shown(messages: Sequence[Message | None] | None) -> str:
    return ", ".join(map(repr, messages or [])) or "nothing"
