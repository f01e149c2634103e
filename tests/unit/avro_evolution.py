"""Pairs of a written and a read schema of one record, as releases make them, for properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from streams.events.message import Message
from tests.unit.avro_kinds import (
    COLUMNAR,
    LEAVES,
    TEXTS,
    Case,
    Kind,
    Mood,
    case_of,
    nullable,
    struct_of,
)

BY_NAME = {kind.name: kind for kind in LEAVES}
PROMOTIONS = [
    ("int", "long"),
    ("int", "float"),
    ("int", "double"),
    ("long", "float"),
    ("long", "double"),
    ("float", "double"),
    ("string", "bytes"),
    ("bytes", "string"),
]
NEW_FIELDS = [
    ("long", "long", 7, int, 7),
    ("text", "string", "new", str, "new"),
    ("blob", "bytes", "\u00ff", bytes, b"\xff"),
    ("note", ["null", "string"], None, str | None, None),
    ("mood", {"type": "enum", "name": "New", "symbols": ["GLAD"]}, "GLAD", Mood, Mood.GLAD),
    ("list", {"type": "array", "items": "long"}, [], list[int], []),
]
"""Name, type and default in the schema; type and default in Python."""


@dataclass(frozen=True)
class Evolution:
    """What was written, and the schema and struct it is read with today."""

    written: Case
    reader: dict[str, Any]
    event_type: type[Message]


@dataclass(frozen=True)
class _Change:
    """A field as it was written and as it is read; None = removed."""

    old: Kind
    new: Kind | None


def _promoted(pair):
    old, new = (BY_NAME[name] for name in pair)
    return st.sampled_from(
        [_Change(old, new), _Change(nullable(old), nullable(new)), _Change(old, nullable(new))]
    )


def _grown(kind):
    """An enum of which an older release knew another symbol, that today's default stands for."""
    symbols = ["OLD", *(mood.value for mood in Mood)]
    old = Kind(
        "older enum",
        lambda n: {"type": "enum", "name": f"Mood{n}", "symbols": symbols},
        str,
        st.sampled_from(symbols),
    )
    new = Kind("enum with default", lambda n: {**kind.schema(n), "default": "SAD"}, Mood, TEXTS)
    return _Change(old, new)


def changes():
    """A field that stayed, became nullable, was promoted, or went away."""
    return st.one_of(
        st.sampled_from(COLUMNAR).map(lambda kind: _Change(kind, kind)),
        st.sampled_from(LEAVES).map(lambda kind: _Change(kind, nullable(kind))),
        st.sampled_from(COLUMNAR).map(lambda kind: _Change(kind, None)),
        st.sampled_from(PROMOTIONS).flatmap(_promoted),
        st.just(_grown(BY_NAME["enum"])),
    )


@st.composite
def evolutions(draw):
    """A record type in two versions, the later able to read the earlier."""
    fields = draw(st.lists(changes(), min_size=1, max_size=5))
    added = draw(st.lists(st.sampled_from(NEW_FIELDS), unique_by=lambda new: new[0], max_size=2))
    written = case_of([change.old for change in fields])
    kept = [(f"field_{n}", n, change.new) for n, change in enumerate(fields) if change.new]
    reader_fields = [{"name": name, "type": kind.schema(n)} for name, n, kind in kept]
    reader_fields += [{"name": new[0], "type": new[1], "default": new[2]} for new in added]
    annotations = {name: kind.annotation for name, _, kind in kept}
    annotations |= {new[0]: new[3] for new in added}
    reader = {**written.schema, "fields": reader_fields}
    return Evolution(written, reader, struct_of(annotations, {new[0]: new[4] for new in added}))
