"""Logical types: what fastavro makes of a value on reading, and where our structs keep it plain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from fastavro.read import LOGICAL_READERS

from streams.avro.shape import Schema
from streams.events.message import Message

ReadLogical = Callable[[Any], Any]
"""From a plain Avro value to the Python value; raises what fastavro raises on a value outside."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _bounds(unit: dt.timedelta) -> range:
    first = dt.datetime.min.replace(tzinfo=dt.UTC)
    last = dt.datetime.max.replace(tzinfo=dt.UTC)
    return range((first - _EPOCH) // unit, (last - _EPOCH) // unit + 1)


_BOUNDS: Final = {
    "timestamp-micros": _bounds(dt.timedelta(microseconds=1)),
    "timestamp-millis": _bounds(dt.timedelta(milliseconds=1)),
}
"""The numbers that are times in the years 1 to 9999; fastavro refuses every other."""


def reader_of(schema: Schema) -> ReadLogical | None:
    """How fastavro reads the logical type of a canonical schema; None when it has none."""
    if not isinstance(schema, dict) or "logicalType" not in schema:
        return None
    read = LOGICAL_READERS.get(f"{schema['type']}-{schema['logicalType']}")
    return None if read is None else lambda value: read(value, schema, None)


def plain_fields(event_type: type[Message], schema: Mapping[str, Any]) -> dict[str, range]:
    """Times that the struct keeps as integers (`occurred_at`), with the numbers that are times.

    A number outside is refused although the struct could hold it: no clock ever showed it, and
    `Event.time` could not say it.
    """
    whole = {field.name for field in msgspec.structs.fields(event_type) if field.type is int}
    logical = {
        field["name"]: field["type"].get("logicalType")
        for field in schema["fields"]
        if isinstance(field["type"], dict) and field["name"] in whole
    }
    return {name: _BOUNDS[kind] for name, kind in logical.items() if kind in _BOUNDS}


def without_logical(schema: Mapping[str, Any], names: Mapping[str, object]) -> dict[str, Any]:
    """The schema with the named fields of the top record as plain Avro types."""
    fields = [
        {**field, "type": field["type"]["type"]} if field["name"] in names else field
        for field in schema["fields"]
    ]
    return {**schema, "fields": fields}
