"""Logical types: what fastavro makes of a value on reading, and where our structs keep it plain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastavro.read import LOGICAL_READERS

from streams.avro.shape import Schema
from streams.events.base import Message

ReadLogical = Callable[[Any], Any]
"""From a plain Avro value to the Python value; raises what fastavro raises on a value outside."""


def reader_of(schema: Schema) -> ReadLogical | None:
    """How fastavro reads the logical type of a canonical schema; None when it has none."""
    if not isinstance(schema, dict) or "logicalType" not in schema:
        return None
    read = LOGICAL_READERS.get(f"{schema['type']}-{schema['logicalType']}")
    return None if read is None else lambda value: read(value, schema, None)


def plain_fields(event_type: type[Message], schema: Mapping[str, Any]) -> dict[str, ReadLogical]:
    """Fields that the struct keeps as plain integers although the schema has a logical type.

    `occurred_at` is one. Values outside the logical type's range are refused all the same: the
    reader given for each field raises on them.
    """
    plain = {field.name for field in msgspec.structs.fields(event_type) if field.type is int}
    readers = ((field["name"], reader_of(field["type"])) for field in schema["fields"])
    return {name: read for name, read in readers if read is not None and name in plain}


def without_logical(schema: Mapping[str, Any], names: Mapping[str, object]) -> dict[str, Any]:
    """The schema with the named fields of the top record as plain Avro types."""
    fields = [
        {**field, "type": field["type"]["type"]} if field["name"] in names else field
        for field in schema["fields"]
    ]
    return {**schema, "fields": fields}
