"""How the fields of one writer schema become columns, and columns the fields of one struct.

Columns are read in wire form: the plainest Avro type with the same bytes, chosen so that polars
cannot be kinder than fastavro: a boolean is read as one byte (polars takes any but 1 for false), an
int or enum as a long (polars cuts an int to 32 bits).
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import msgspec

from streams.avro.logical import plain_fields, reader_of, without_logical
from streams.avro.resolution import readable
from streams.avro.shape import Schema, Shape, named_types
from streams.events.message import Message

Convert = Callable[[Any], Any]
Values = Iterable[Any]
Default = Callable[[int], Values]
"""As many values as there are rows, for a field that the writer did not know."""

_BOOLEANS: Final = {b"\0": False, b"\1": True}
_PROMOTIONS: Final[dict[tuple[str, str], Convert]] = {
    ("int", "float"): float,
    ("int", "double"): float,
    ("long", "float"): float,
    ("long", "double"): float,
    ("string", "bytes"): str.encode,
    ("bytes", "string"): bytes.decode,
}


class HarderThanColumns(Exception):
    """A type with a part that is left to the record path."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field as it stands on the wire. `convert` makes Python values; None = they are already.

    `bounds` are the only numbers allowed in a time that the struct keeps as an integer.
    """

    wire: Schema
    is_nullable: bool = False
    convert: Convert | None = None
    bounds: range | None = None

    def values(self, plain: list[Any]) -> Values:
        """The Python values of the column, in order; raises where fastavro would."""
        convert = self.convert
        if convert is None:
            return plain
        if self.is_nullable:
            return (None if value is None else convert(value) for value in plain)
        return map(convert, plain)


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns in the writer's order, and for each struct field its column or its default."""

    columns: tuple[Column, ...]
    sources: tuple[int | Default, ...]
    has_blocks: bool


def layout_of(event_type: type[Message], writer: Schema, reader: Schema) -> Layout:
    """The layout for two canonical schemas; HarderThanColumns if the record path must do it."""
    shape = Shape.of(writer)
    if shape.has_records or shape.is_recursive or shape.has_empty_values:
        raise HarderThanColumns
    own = {field.name: field for field in msgspec.structs.fields(event_type)}
    wanted = readable(writer, reader)
    bounds = plain_fields(event_type, wanted)
    read = {field["name"]: field["type"] for field in without_logical(wanted, bounds)["fields"]}
    types = _Types(named_types(writer), named_types(wanted))
    columns, places = [], {}
    for place, field in enumerate(without_logical(writer, bounds)["fields"]):
        name, written = field["name"], field["type"]
        if name in read and name in own:
            columns.append(types.kept(written, read[name], own[name].type, bounds.get(name)))
            places[name] = place
        else:
            columns.append(types.removed(written))
    sources = tuple(places[name] if name in places else _default(own[name]) for name in own)
    return Layout(tuple(columns), sources, shape.has_blocks)


def _default(field: msgspec.structs.FieldInfo) -> Default:
    """The struct's default, made anew for each row where it could be changed."""
    factory, value = field.default_factory, field.default
    if factory is not msgspec.NODEFAULT:
        return lambda rows: [factory() for _ in range(rows)]
    if value is msgspec.NODEFAULT:
        raise HarderThanColumns
    return lambda rows: repeat(value, rows)


class _Types:
    """Makes columns of pairs of written and read types."""

    def __init__(self, written: Mapping[str, Schema], read: Mapping[str, Schema]) -> None:
        self._written = written
        self._read = read

    def kept(self, old: Schema, new: Schema, annotation: Any, bounds: range | None) -> Column:
        """The column of a field that the struct has, too."""
        new = _inner(new) if isinstance(new, list) else new
        if isinstance(old, list):
            wire, convert = self._single(_inner(old), new, annotation)
            return Column(_nullable(wire), is_nullable=True, convert=convert)
        wire, convert = self._single(old, new, annotation)
        return Column(wire, convert=convert, bounds=bounds)

    def removed(self, old: Schema) -> Column:
        """The column of a field that nobody reads; it only has to be there."""
        old = self._written.get(old, old) if isinstance(old, str) else old
        if isinstance(old, list):
            return Column(_nullable(self.removed(_inner(old)).wire), is_nullable=True)
        return Column(_wire(old))  # no arrays: fastavro jumps over them by the size they claim

    def _single(self, old: Schema, new: Schema, annotation: Any) -> tuple[Schema, Convert | None]:
        """Wire type and conversion of a type that is no union."""
        old = self._written.get(old, old) if isinstance(old, str) else old
        new = self._read.get(new, new) if isinstance(new, str) else new
        kind = _kind(old)
        if kind == "array":
            return self._array(old["items"], new["items"], annotation)
        convert = reader_of(old)
        if convert is None and kind == "enum":
            convert = _members(old["symbols"], new, annotation).__getitem__
        elif convert is None and kind == "boolean":
            convert = _BOOLEANS.__getitem__
        elif convert is None:
            convert = _PROMOTIONS.get((kind, _kind(new)))
        return _wire(old), convert

    def _array(self, old: Schema, new: Schema, annotation: Any) -> tuple[Schema, Convert | None]:
        arguments = typing.get_args(annotation)
        if isinstance(old, list) or isinstance(new, list) or len(arguments) != 1:
            raise HarderThanColumns
        wire, convert = self._single(old, new, arguments[0])
        if _kind(wire) == "array":
            raise HarderThanColumns
        if convert is None:
            return {"type": "array", "items": wire}, None
        return {"type": "array", "items": wire}, lambda items: list(map(convert, items))


def _members(symbols: list[str], reader: dict[str, Any], annotation: Any) -> dict[int, Any]:
    """The reader's members by the writer's indexes; those without one are missing."""
    known, spare = reader["symbols"], reader.get("default")
    names = ((index, name if name in known else spare) for index, name in enumerate(symbols))
    return {index: msgspec.convert(name, annotation) for index, name in names if name is not None}


def _inner(union: list[Schema]) -> Schema:
    """What may be null; other unions are hard."""
    if len(union) != 2 or union[0] != "null" or _kind(union[1]) in {"array", "map"}:
        raise HarderThanColumns
    return union[1]


def _nullable(wire: Schema) -> Schema:
    return ["null", wire]


def _wire(schema: Schema) -> Schema:
    kind = _kind(schema)
    if kind in {"int", "long", "enum"}:
        return "long"
    if kind == "boolean":
        return {"type": "fixed", "size": 1}
    if kind == "fixed":
        return {"type": "fixed", "size": schema["size"]}
    if kind in {"float", "double", "string", "bytes"}:
        return kind
    raise HarderThanColumns


def _kind(schema: Schema) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])
