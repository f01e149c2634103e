"""Writing records: fastavro's bytes for every value that fits, a clear refusal for the rest."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.avro.framing import frame
from streams.avro.limits import Limits
from streams.avro.records import RecordDecoder, RecordEncoder
from streams.errors import ConfigurationError, SchemaMismatch
from streams.events.message import Event, Message
from tests.unit.avro_kinds import (
    HARD,
    KINDS,
    LEAVES,
    Mood,
    Place,
    case_of,
    cases,
    struct_of,
    written,
)

STAMPED = {
    "type": "record",
    "name": "Liked",
    "namespace": "shop",
    "fields": [
        {"name": "event_id", "type": {"type": "fixed", "name": "EventId", "size": 16}},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "user_id", "type": "long"},
    ],
}


class Liked(Event, frozen=True, gc=False):
    avro_name = "shop.Liked"

    user_id: int
    event_id: bytes = bytes(16)
    occurred_at: int = 0


@given(st.data(), cases())
def test_bytes_are_those_of_fastavro(data, case):
    """Whatever reads Avro reads our records, and a replay of old ones gives the same bytes."""
    event = data.draw(case.events)

    encoded = RecordEncoder(case.event_type, case.schema, 7).encode(event)

    assert frame(7) + written(case.schema, event) == encoded


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(data=st.data())
def test_every_kind_of_field_comes_back_as_it_was(kind, data):
    """An event that changed on the way through the log would be another event."""
    case = case_of([kind])
    event = data.draw(case.events)
    decoder = RecordDecoder(case.event_type, case.schema, case.schema, Limits())

    encoded = RecordEncoder(case.event_type, case.schema, 7).encode(event)

    assert event == decoder.decode(encoded[5:])


def test_a_nested_record_comes_back_as_its_struct():
    """Handlers see types at every depth."""
    place = {
        "type": "record",
        "name": "Place",
        "fields": [
            {"name": "name", "type": "string"},
            {"name": "near", "type": {"type": "array", "items": "long"}},
        ],
    }
    schema = {
        "type": "record",
        "name": "Row",
        "namespace": "shop",
        "fields": [
            {"name": "home", "type": place},
            {"name": "others", "type": {"type": "array", "items": "Place"}},
        ],
    }
    row = struct_of({"others": list[Place], "home": Place})
    event = row(home=Place(name="a", near=[1]), others=[Place(name="b", near=[])])

    encoded = RecordEncoder(row, schema, 7).encode(event)

    assert event == RecordDecoder(row, schema, schema, Limits()).decode(encoded[5:])


def test_a_time_kept_as_a_number_is_written_as_one():
    """`occurred_at` is microseconds in Python and timestamp-micros in Avro."""
    like = Liked(user_id=3, event_id=bytes(range(16)), occurred_at=1_700_000_000_123_456)

    encoded = RecordEncoder(Liked, STAMPED, 7).encode(like)

    assert frame(7) + written(STAMPED, like) == encoded


EDGES = [0, 63, 64, 2**13 - 1, 2**13, 2**27 - 1, 2**27, 2**34, 2**41, 2**57]


@pytest.mark.parametrize("number", [number for edge in EDGES for number in (edge, -1 - edge)])
def test_whole_numbers_of_every_length_are_written_as_fastavro_does(number):
    """Short ones take shortcuts, and times another one."""
    like = Liked(user_id=number, event_id=bytes(16), occurred_at=max(number, -(2**55)))

    encoded = RecordEncoder(Liked, STAMPED, 7).encode(like)

    assert frame(7) + written(STAMPED, like) == encoded


class Level(IntEnum):
    LOW = 1


class Shade(StrEnum):
    DARK = "DARK"


MISFITS = {
    "boolean": [1, None, "true"],
    "int": [True, 2.0, "2", None, 2**31, -(2**31) - 1],
    "long": [True, 2.0, "2", None, 2**63, -(2**63) - 1],
    "float": [True, "1", None, 1e300],
    "double": [True, "1", None, 10**400],
    "string": [None, 3, b"text", "\ud800"],
    "bytes": [None, "text", 3],
    "fixed": [None, b"ab", b"abcd", "abc"],
    "enum": [None, "JOYFUL", 0, [], Shade.DARK],
    "uuid": [None, "00000000-0000-0000-0000-000000000000"],
    "timestamp-micros": [None, 3, dt.datetime(2026, 1, 1)],
    "date": [None, 3, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)],
    "time-micros": [None, 3, dt.time(1, tzinfo=dt.UTC)],
    "decimal on bytes": [None, 1.5, Decimal("1.234"), Decimal("99999.99"), Decimal("NaN")],
    "decimal on fixed": [None, 1, Decimal("1E+9")],
    "map": [None, [], {1: 2}, {"a": "b"}],
    "wide union": [1.5, b"", []],
    "array of array of long": [None, [1], [[None]]],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in MISFITS.items() for value in values]
)
def test_a_value_of_another_type_is_refused_by_name(name, value):
    """fastavro writes True as 1 and 3.7 as 3: a bug of an emitter would be in the log for ever."""
    (kind,) = (kind for kind in LEAVES + HARD if kind.name == name)
    case = case_of([kind])
    event = case.event_type(field_0=value)

    with pytest.raises(SchemaMismatch) as refusal:
        RecordEncoder(case.event_type, case.schema, 7).encode(event)

    assert ("shop.Row", "field_0") == (
        refusal.value.type_name,
        refusal.value.field.partition("[")[0],
    )


@pytest.mark.parametrize("number", [2**62, -(2**62), 253_402_300_800_000_000])
def test_a_number_that_is_no_time_is_refused(number):
    """No reader could say when it was."""
    with pytest.raises(SchemaMismatch, match=r"shop\.Liked\.occurred_at: found .*, wanted a time"):
        RecordEncoder(Liked, STAMPED, 7).encode(Liked(user_id=1, occurred_at=number))


def test_a_refusal_names_type_field_found_and_wanted():
    """The person who reads it mends one line."""
    event = struct_of({"tags": list[str]})(tags=["a", 3])
    schema = {
        "type": "record",
        "name": "Row",
        "namespace": "shop",
        "fields": [{"name": "tags", "type": {"type": "array", "items": "string"}}],
    }

    with pytest.raises(SchemaMismatch) as refusal:
        RecordEncoder(type(event), schema, 7).encode(event)

    assert "shop.Row.tags[1]: found 3 (int), wanted text that UTF-8 can hold" == str(refusal.value)


def test_another_type_with_the_same_fields_is_refused():
    """A like written as an unlike would be read as one."""

    class Unliked(Liked, frozen=True, gc=False):
        avro_name = "shop.Unliked"

    with pytest.raises(SchemaMismatch, match=r"wanted a struct of shop\.Liked"):
        RecordEncoder(Liked, STAMPED, 7).encode(Unliked(user_id=1))


@pytest.mark.parametrize(
    ("name", "value", "same"),
    [
        ("long", Level.LOW, 1),
        ("string", Shade.DARK, "DARK"),
        ("double", 3, 3.0),
        ("array of array of long", ((1,), [2]), [[1], [2]]),
        ("enum", "GLAD", Mood.GLAD),
    ],
)
def test_a_value_that_means_the_same_is_written_as_such(name, value, same):
    """An IntEnum is a whole number, and Python takes a whole number for a float."""
    (kind,) = (kind for kind in LEAVES + HARD if kind.name == name)
    case = case_of([kind])
    encoder = RecordEncoder(case.event_type, case.schema, 7)

    encoded = encoder.encode(case.event_type(field_0=value))

    assert encoder.encode(case.event_type(field_0=same)) == encoded


def test_a_struct_without_a_field_of_its_schema_is_a_mistake_of_the_program():
    """It was generated from another schema."""

    class Bare(Message, frozen=True, gc=False):
        avro_name = "shop.Liked"

    with pytest.raises(ConfigurationError, match="no field event_id, occurred_at, user_id"):
        RecordEncoder(Bare, STAMPED, 7)


def test_a_uuid_is_written_as_its_text():
    """The bytes of a uuid are those of its usual text."""
    (kind,) = (kind for kind in LEAVES if kind.name == "uuid")
    case = case_of([kind])

    encoded = RecordEncoder(case.event_type, case.schema, 7).encode(
        case.event_type(field_0=uuid.UUID(int=1))
    )

    assert frame(7) + b"\x48" + b"00000000-0000-0000-0000-000000000001" == encoded
