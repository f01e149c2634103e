"""The JSON form of events: strict on the way in, complete on the way out."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import InputError, SchemaMismatch, UnknownEvent
from streams.events.message import UNSTAMPED, Event, Message, Result
from streams.topics.jsonform import EventLines, to_json


class Mood(StrEnum):
    GLAD = "GLAD"
    SAD = "SAD"


class Place(msgspec.Struct, frozen=True):
    name: str
    height: int | None = None


class Walked(Event, frozen=True, gc=False):
    avro_name: ClassVar[str] = "tests.Walked"
    user_id: int
    steps: int = 0
    speed: float = 0.0
    is_wet: bool = False
    note: str = ""
    raw: bytes = b""
    key: bytes = bytes(4)
    mood: Mood = Mood.GLAD
    day: dt.date = dt.date(1970, 1, 1)
    at: dt.time = dt.time()
    seen: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    trip: uuid.UUID = uuid.UUID(int=0)
    cost: Decimal = Decimal("0.00")
    home: Place | None = None
    stops: list[Place] = msgspec.field(default_factory=list)
    notes: dict[str, int] = msgspec.field(default_factory=dict)
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class Total(Result, frozen=True, gc=False):
    avro_name: ClassVar[str] = "tests.Total"
    speed: float
    user_id: int


_PLACE = {
    "type": "record",
    "name": "Place",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "height", "type": ["null", "int"], "default": None},
    ],
}


def _field(name: str, avro_type: Any) -> dict[str, Any]:
    return {"name": name, "type": avro_type}


_WALKED = {
    "type": "record",
    "name": "Walked",
    "namespace": "tests",
    "fields": [
        _field("event_id", {"type": "fixed", "name": "EventId", "size": 16}),
        _field("occurred_at", {"type": "long", "logicalType": "timestamp-micros"}),
        _field("steps", "int"),
        _field("user_id", "long"),
        _field("speed", "double"),
        _field("is_wet", "boolean"),
        _field("note", "string"),
        _field("raw", "bytes"),
        _field("key", {"type": "fixed", "name": "Key", "size": 4}),
        _field("mood", {"type": "enum", "name": "Mood", "symbols": ["GLAD", "SAD"]}),
        _field("day", {"type": "int", "logicalType": "date"}),
        _field("at", {"type": "long", "logicalType": "time-micros"}),
        _field("seen", {"type": "long", "logicalType": "timestamp-micros"}),
        _field("trip", {"type": "string", "logicalType": "uuid"}),
        _field("cost", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
        _field("home", ["null", _PLACE]),
        _field("stops", {"type": "array", "items": "tests.Place"}),
        _field("notes", {"type": "map", "values": "long"}),
    ],
}
_TOTAL = {
    "type": "record",
    "name": "Total",
    "namespace": "tests",
    "fields": [_field("user_id", "long"), _field("speed", "double")],
}


class Types:
    """What the form asks of a catalog, over two hand-written types."""

    event_names: ClassVar = ["tests.Walked"]

    def type(self, name: str) -> type[Message]:
        if name in {"Walked", "tests.Walked"}:
            return Walked
        raise UnknownEvent(f"found the type {name!r}")

    def schema(self, event_type: Any) -> dict[str, Any]:
        return _WALKED


def parse(line: str | bytes) -> Message:
    return EventLines(Types()).parse(line.encode() if isinstance(line, str) else line)


def walked(fields: str) -> Message:
    return parse(f'{{"type": "Walked", "user_id": 3{fields}}}')


def test_absent_fields_take_their_defaults():
    """People write lines by hand."""
    assert Walked(user_id=3) == walked("")


@pytest.mark.parametrize("name", ["Walked", "tests.Walked"])
def test_the_type_may_stand_anywhere_by_either_name(name):
    """Names in JSON objects have no order, and tools sort them."""
    assert Walked(user_id=3) == parse(json.dumps({"user_id": 3, "type": name}))


@pytest.mark.parametrize(
    ("fields", "field", "found"),
    [
        (', "steps": 3.0', "steps", "3.0"),
        (', "steps": "3"', "steps", '"3"'),
        (', "steps": true', "steps", "true"),
        (', "steps": null', "steps", "null"),
        (', "steps": 2147483648', "steps", "2147483648"),
        (', "speed": 1e999', "speed", "Infinity"),
        (', "speed": "1"', "speed", '"1"'),
        (', "speed": false', "speed", "false"),
        (', "is_wet": 1', "is_wet", "1"),
        (', "note": 5', "note", "5"),
        (', "note": "\\ud800"', "note", r'"\ud800"'),
        (', "raw": "abc"', "raw", '"abc"'),
        (', "raw": "a b0"', "raw", '"a b0"'),
        (', "key": "0011"', "key", '"0011"'),
        (', "mood": "glad"', "mood", '"glad"'),
        (', "mood": []', "mood", "[]"),
        (', "day": "2026-1-1"', "day", '"2026-1-1"'),
        (', "day": "2026-02-30"', "day", '"2026-02-30"'),
        (', "at": "24:00:01"', "at", '"24:00:01"'),
        (', "seen": "2026-01-01T00:00:00"', "seen", '"2026-01-01T00:00:00"'),
        (', "trip": "0190"', "trip", '"0190"'),
        (', "cost": 1.5', "cost", "1.5"),
        (', "cost": "1e2"', "cost", '"1e2"'),
        (', "home": []', "home", "[]"),
        (', "home": {}', "home.name", "nothing"),
        (', "home": {"name": "x", "height": "y"}', "home.height", '"y"'),
        (', "stops": {}', "stops", "an object"),
        (', "stops": [{"name": "x"}, {"name": 1}]', "stops[1].name", "1"),
        (', "notes": []', "notes", "[]"),
        (', "notes": {"a": 1.5}', "notes[a]", "1.5"),
        (', "notes": {"a": 1, "a": 2}', "notes", "a name twice"),
        (', "user_id": 4', "user_id", "the name twice"),
        (', "other": 4', "other", "no such field"),
        (', "type": "Walked"', "type", "no such field"),
        (', "event_id": "00"', "event_id", '"00"'),
        (', "occurred_at": 1.5', "occurred_at", "1.5"),
        (', "occurred_at": true', "occurred_at", "true"),
        (', "occurred_at": 253402300800000000', "occurred_at", "253402300800000000"),
        (', "occurred_at": "2026-01-01T00:00:00.1234567Z"', "occurred_at", "1234567Z"),
        (', "occurred_at": "2026-01-01T00:00:60Z"', "occurred_at", "00:60Z"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_by_name(fields, field, found):
    """A wrong line must say where and what, before anything is sent."""
    with pytest.raises(SchemaMismatch) as caught:
        walked(fields)

    assert field == caught.value.field
    assert f"Walked.{field}: found " in str(caught.value)
    assert found in str(caught.value)
    assert ", wanted " in str(caught.value)


def test_a_missing_field_without_default_is_named():
    """Its value cannot be guessed."""
    with pytest.raises(SchemaMismatch, match=r"Walked\.user_id: found nothing"):
        parse('{"type": "Walked"}')


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"[]", r"found \[\]"),
        (b"3", "found 3"),
        (b"{", "invalid JSON"),
        (b'{"user_id": 3}', 'no "type", wanted the name of an event type such as "Walked"'),
        (b'{"type": 3}', 'found "type": 3'),
        (b'{"type": "Walked", "user_id": NaN}', "NaN is no JSON number"),
        (b'{"type": "Walked", "user_id": ' + b"9" * 5_000 + b"}", "invalid JSON"),
        (b'{"type": "Walked", "note": "\xff"}', "invalid UTF-8 at byte 28"),
        (b'{"type": "Walked", "note": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"type": "Walked", "user_id": 3} {}', "invalid JSON"),
        (b"\xef\xbb\xbf{}", "invalid JSON"),
    ],
)
def test_a_line_that_is_no_json_object_is_refused(line, found):
    """Files are cut off, double-encoded and concatenated."""
    with pytest.raises(InputError, match=found):
        parse(line)


def test_an_unknown_type_is_refused():
    """Nothing says where such an event would go."""
    with pytest.raises(UnknownEvent, match="Flown"):
        parse('{"type": "Flown"}')


@pytest.mark.parametrize(
    "text", ["2026-01-31T12:00:00Z", "2026-01-31t13:00:00+01:00", "2026-01-31 12:00:00.000000z"]
)
def test_times_are_read_in_utc(text):
    """Offsets, spaces and small letters are all RFC 3339."""
    expected = int(dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC).timestamp()) * 1_000_000

    assert expected == walked(f', "occurred_at": "{text}"').occurred_at
    assert expected == walked(f', "occurred_at": {expected}').occurred_at


def test_fields_are_written_in_the_order_of_the_schema():
    """Structs keep required fields first, which readers of a dump need not know."""
    assert ["type", *(field["name"] for field in _WALKED["fields"])] == list(
        to_json(Walked(user_id=3), _WALKED)
    )


def test_a_number_that_json_lacks_becomes_text():
    """`dump` must stay valid JSON whatever a fold computed."""
    assert to_json(Total(speed=float("nan"), user_id=3), _TOTAL) == {
        "type": "Total",
        "user_id": 3,
        "speed": "nan",
    }


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
places = st.builds(Place, name=texts, height=st.none() | st.integers(-(2**31), 2**31 - 1))
longs = st.integers(-(2**63), 2**63 - 1)
events = st.builds(
    Walked,
    user_id=longs,
    steps=st.integers(-(2**31), 2**31 - 1),
    speed=st.floats(allow_nan=False, allow_infinity=False),
    is_wet=st.booleans(),
    note=texts,
    raw=st.binary(max_size=9),
    key=st.binary(min_size=4, max_size=4),
    mood=st.sampled_from(Mood),
    day=st.dates(),
    at=st.times(),
    seen=st.datetimes(timezones=st.just(dt.UTC)),
    trip=st.uuids(),
    cost=st.decimals(-1_000, 1_000, places=2),
    home=st.none() | places,
    stops=st.lists(places, max_size=3),
    notes=st.dictionaries(texts, longs, max_size=3),
    event_id=st.binary(min_size=16, max_size=16),
    occurred_at=st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
)


@given(events)
def test_what_is_written_reads_back_the_same(event):
    """`dump` and `tail` must show what `emit` would take."""
    line = json.dumps(to_json(event, _WALKED), allow_nan=False)

    assert event == parse(line)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
objects = st.dictionaries(
    st.sampled_from([field["name"] for field in _WALKED["fields"]]), json_values
)


@given(
    st.binary(max_size=60)
    | objects.map(lambda fields: json.dumps({"type": "Walked", **fields}).encode())
)
def test_any_line_is_an_event_or_a_clear_refusal(line):
    """Whatever stands in a file, the command must not die of it."""
    refused = None
    try:
        parse(line)
    except InputError as exc:
        refused = str(exc)

    assert refused is None or "found" in refused
