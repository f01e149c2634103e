"""C10: every store against its log, twice: by the rules of the model, and by the folds themselves.

The model says whether what a state counts is right; folding the log again in memory says whether
the state on disk is that state in every part, also where it counts nothing yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from services.counters import SERVICE, conversations, photos, users
from streams.events.message import Event
from streams.fold.declaration import Fold
from streams.state.entries import Entries
from streams.state.member_sets import MemberSets
from streams.state.members import Members
from tests.faults.checker.evidence import Evidence, Seen, StoreDump
from tests.faults.checker.model import STAGES, Stage
from tests.faults.checker.verdict import Violation
from tests.faults.workload import CATALOG

_FOLDS = {fold.name: fold for fold in SERVICE.folds}

_ROWS = {
    "photos": photos.counters,
    "conversations": conversations.counters,
    "users": users.counters,
}
"""What a fold says of a state; the states of the others are compared as they are."""


def check_states(evidence: Evidence) -> Iterator[Violation]:
    """Every store that was left behind."""
    for store in evidence.stores:
        log = [seen for seen in evidence.log[store.source] if seen.offset < store.offset]
        stage = STAGES[store.source.topic]()
        for seen in log:
            if seen.message is not None:
                stage.see(seen.message)
        states = dict(store.states.get(stage.name, {}))
        yield from _by_model(store, stage, states)
        yield from _by_fold(store, _FOLDS[stage.name], log, states)


def _by_model(store: StoreDump, stage: Stage, states: Mapping[Any, Any]) -> Iterator[Violation]:
    wanted = {key: stage.plain(key) for key in stage}
    row = _ROWS.get(stage.name, lambda _key, state: state)
    yield from _differences(store, wanted, {one: plain(row(one, states[one])) for one in states})


def _by_fold(
    store: StoreDump, fold: Fold, log: Sequence[Seen], states: Mapping[Any, Any]
) -> Iterator[Violation]:
    folded: dict[Any, Any] = {}
    for seen in log:
        handler = fold.handlers.get(type(seen.message))
        if handler is None:
            continue
        key = CATALOG.key_of(type(seen.message))(seen.message)
        state = folded.setdefault(key, fold.state())
        handler.handle(state, seen.message, *((_Unheard(),) if handler.wants_context else ()))
    wanted = {key: plain(state) for key, state in folded.items()}
    yield from _differences(store, wanted, {key: plain(state) for key, state in states.items()})


def _differences(
    store: StoreDump, wanted: Mapping[Any, Any], found: Mapping[Any, Any]
) -> Iterator[Violation]:
    at = f"store of {store.source} at {store.offset}"
    for key in wanted.keys() | found.keys():
        if wanted.get(key) != found.get(key):
            yield Violation(
                "C10", f"{at}, key {key}: found {found.get(key)}, wanted {wanted.get(key)}"
            )


class _Unheard:
    """A `Context` for a fold whose facts nobody keeps."""

    def emit(self, event: Event) -> None:
        """It was checked elsewhere."""


def plain(value: Any) -> Any:
    """A state as values that compare by what they hold."""
    if isinstance(value, MemberSets):
        return frozenset(value)
    if isinstance(value, (Members, set)):
        return set(value)
    if isinstance(value, (Entries, dict)):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value
