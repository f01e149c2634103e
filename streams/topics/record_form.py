"""The JSON form of one record type, put together once from its schema and its struct."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from streams.events.message import Event
from streams.topics.json_values import (
    EVENT_ID,
    OCCURRED_AT,
    PLAIN,
    Misfit,
    ValueForm,
    hexadecimal,
    read_text,
    shown,
)

_STAMPS: Final = {"event_id": EVENT_ID, "occurred_at": OCCURRED_AT}
"""Fields of every event whose Python values are not what their Avro types say."""

Named = dict[str, Any]
"""Schemas of records, enums and fixed types by the names that later fields refer to them with."""


class RecordForm:
    """Reads (name, value) pairs as a struct, and writes a struct as a dict in schema order."""

    def __init__(
        self, record_type: type[msgspec.Struct], schema: Mapping[str, Any], named: Named
    ) -> None:
        fields = {field.name: field for field in msgspec.structs.fields(record_type)}
        stamps = _STAMPS if issubclass(record_type, Event) else {}
        forms = {
            name: stamps.get(name) or _form(field["type"], fields[name].type, named)
            for field in schema["fields"]
            for name in (field["name"],)
        }
        self._type = record_type
        self._required = frozenset(name for name, field in fields.items() if field.required)
        self._readers = {name: form.read for name, form in forms.items()}
        self._writers = tuple((name, form.write) for name, form in forms.items())

    def read(self, pairs: Iterable[tuple[str, Any]]) -> Any:
        """The struct of a JSON object; Misfit says which field in its `path`."""
        values: dict[str, Any] = {}
        readers = self._readers
        for name, value in pairs:
            if name in values:
                raise Misfit("the name twice", "each name once", f".{name}")
            try:
                values[name] = readers[name](value)
            except Misfit as misfit:
                raise Misfit(misfit.found, misfit.wanted, f".{name}{misfit.path}") from None
            except KeyError:
                known = f"one of {', '.join(readers)}"
                raise Misfit(f"no such field ({shown(name)})", known, f".{name}") from None
        if not self._required <= values.keys():
            missing = min(self._required - values.keys())
            raise Misfit("nothing", "a value, because it has no default", f".{missing}")
        return self._type(**values)

    def write(self, record: Any) -> dict[str, Any]:
        """The JSON object of a struct."""
        found = {}
        for name, write in self._writers:
            value = getattr(record, name)
            found[name] = value if write is None else write(value)
        return found


def _form(schema: Any, annotation: Any, named: Named) -> ValueForm:
    """The form of a field's type; `annotation` is the same type in Python."""
    if isinstance(schema, list):
        inner = next(branch for branch in schema if branch != "null")
        return _nullable(_form(inner, _without_none(annotation), named))
    if isinstance(schema, str):
        if (schema, "") in PLAIN:
            return PLAIN[schema, ""]
        return _form(named.get(schema, named.get(schema.rpartition(".")[2])), annotation, named)
    if "name" in schema:
        named[schema["name"].rpartition(".")[2]] = schema
    return _complex(schema, annotation, named)


def _complex(schema: Mapping[str, Any], annotation: Any, named: Named) -> ValueForm:
    kind = schema["type"]
    plain = PLAIN.get((kind, schema.get("logicalType", "")))
    if plain is not None:
        return plain
    if kind == "array":
        return _array(_form(schema["items"], typing.get_args(annotation)[0], named))
    if kind == "map":
        return _map(_form(schema["values"], typing.get_args(annotation)[1], named))
    if kind == "enum":
        return _enum(annotation)
    if kind == "record":
        return _record(RecordForm(annotation, schema, named))
    return hexadecimal(schema["size"]) if kind == "fixed" else PLAIN[kind, ""]


def _nullable(inner: ValueForm) -> ValueForm:
    read, write = inner
    return ValueForm(
        lambda value: None if value is None else read(value),
        write and (lambda value: None if value is None else write(value)),
    )


def _array(items: ValueForm) -> ValueForm:
    read_item, write_item = items

    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Misfit(shown(value), "a JSON array")
        return [_step(read_item, item, index) for index, item in enumerate(value)]

    return ValueForm(read, write_item and (lambda value: [write_item(item) for item in value]))


def _map(values: ValueForm) -> ValueForm:
    read_value, write_value = values

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not tuple:
            raise Misfit(shown(value), "a JSON object")
        found = {read_text(name): _step(read_value, item, name) for name, item in value}
        if len(found) != len(value):
            raise Misfit("a name twice", "each name once")
        return found

    return ValueForm(
        read,
        write_value and (lambda value: {name: write_value(item) for name, item in value.items()}),
    )


def _step(read: Callable[[Any], Any], value: Any, at: int | str) -> Any:
    try:
        return read(value)
    except Misfit as misfit:
        raise Misfit(misfit.found, misfit.wanted, f"[{at}]{misfit.path}") from None


def _enum(symbols: type[StrEnum]) -> ValueForm:
    known = {symbol.value: symbol for symbol in symbols}

    def read(value: Any) -> StrEnum:
        if type(value) is not str or value not in known:
            raise Misfit(shown(value), f"one of {', '.join(known)}")
        return known[value]

    return ValueForm(read, str)


def _record(form: RecordForm) -> ValueForm:
    def read(value: Any) -> Any:
        if type(value) is not tuple:
            raise Misfit(shown(value), "a JSON object")
        return form.read(value)

    return ValueForm(read, form.write)


def _without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return next(part for part in typing.get_args(annotation) if part is not types.NoneType)
    return annotation
