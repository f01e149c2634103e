"""The linter against schemas nobody would write: it never crashes, and what it lets pass works."""

from __future__ import annotations

import copy
import json

import fastavro
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.avro.fingerprint import canonical
from streams.codegen.lint import lint
from streams.codegen.module import module_text
from streams.codegen.source import Sources
from streams.errors import InputError
from tests.unit.shop import STAMPS, Shop, field

NESTED = {
    "type": "record",
    "name": "Line",
    "doc": "Text.",
    "fields": [field("item_id"), field("mood", {"type": "enum", "name": "Mood", "doc": "Text.",
                                                "symbols": ["GLAD", "SAD"]}, default="SAD")],
}  # fmt: skip
RECORD = {
    "type": "record",
    "name": "OrderPlaced",
    "namespace": "shop",
    "doc": "Text.",
    "fields": [
        *STAMPS,
        field("order_id"),
        field("note", ["null", "string"], default=None),
        field("lines", {"type": "array", "items": NESTED}, default=[]),
        field("counts", {"type": "map", "values": "Mood"}, default={}),
        field("price", {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}),
        field("raw", "bytes", default="a"),
    ],
}

WORDS = st.sampled_from(
    ["null", "long", "int", "string", "double", "bytes", "record", "enum", "fixed", "array", "map",
     "Line", "Mood", "OrderPlaced", "EventId", "shop.Line", "type", "name", "items", "values",
     "fields", "doc", "default", "logicalType", "uuid", "date", "size", "symbols", "", "A", "a"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=6,
)


def places(value, at=()):
    """The way to every part of a JSON value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in parts:
        yield (*at, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*at, key))


def replaced(record, place, value):
    """The record with another value at a place."""
    record = copy.deepcopy(record)
    part = record
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return record


def reviewed(shop, record):
    """Problems of a folder with this record, None if it could not even be read."""
    path = shop.folder / "avro/shop/OrderPlaced.avsc"
    path.write_text(json.dumps(record), encoding="utf-8")
    try:
        return lint(Sources.read(shop.folder))
    except InputError:
        return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(place=st.sampled_from(list(places(RECORD))), value=VALUES)
def test_a_changed_schema_is_refused_or_works(tmp_path, place, value):
    """A traceback, or a module that does not import, would stop somebody's work."""
    record = replaced(RECORD, place, value)

    problems = reviewed(Shop(tmp_path), record)

    if problems == []:
        fastavro.parse_schema(canonical(record))
        text = module_text("shop", [record], frozenset())
        exec(compile(text, "shop.py", "exec", dont_inherit=True), {"__name__": "generated"})


def test_the_record_all_examples_start_from_is_fine(tmp_path):
    """Else the property above would hold for nothing."""
    assert reviewed(Shop(tmp_path), RECORD) == []
