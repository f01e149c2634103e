"""What a struct looks like to fastavro, checked value by value against its schema.

fastavro writes True as 1, 3.7 as 3 and a missing value as a default. Here every value must be of
the type that its field says; the first that is not raises SchemaMismatch, which names it.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from streams.avro.compatibility import name_of
from streams.avro.shape import Schema, named_types
from streams.errors import SchemaMismatch
from streams.events.message import Message

_LONGEST_SHOWN: Final = 60
_BITS: Final = {"int": 31, "long": 63}
_FLOATS: Final = {"float": struct.Struct("<f"), "double": struct.Struct("<d")}


class Misfit(Exception):
    """A value that does not fit; `path` is dotted, from the record down."""

    def __init__(self, path: str, found: Any, wanted: str) -> None:
        super().__init__(path)
        self.path = path
        self.found = found
        self.wanted = wanted


class StrictForm:
    """Turns structs of one type into what fastavro writes, or says which field does not fit."""

    def __init__(self, schema: Schema, bounds: Mapping[str, range]) -> None:
        self._schema = schema
        self._bounds = bounds
        self._named = named_types(schema)

    def of(self, message: Message) -> dict[str, Any]:
        """The record as fastavro wants it; SchemaMismatch if a value does not fit its field."""
        try:
            record: dict[str, Any] = self._value(message, self._schema, "")
            for name, bounds in self._bounds.items():
                if record[name] not in bounds:
                    raise Misfit(name, record[name], "a time in the years 1 to 9999")
        except Misfit as misfit:
            name = self._schema["name"]
            place = f"{name}.{misfit.path}" if misfit.path else name
            found = repr(misfit.found)[:_LONGEST_SHOWN]
            raise SchemaMismatch(
                f"{place}: found {found} ({type(misfit.found).__name__}), wanted {misfit.wanted}",
                type_name=name,
                field=misfit.path,
            ) from None
        return record

    def _value(self, value: Any, schema: Schema, path: str) -> Any:
        if isinstance(schema, str):
            schema = self._named.get(schema, schema)
        if isinstance(schema, list):
            return self._branch(value, schema, path)
        if isinstance(schema, str):
            return _primitive(value, schema, path)
        if "logicalType" in schema and (schema["logicalType"] in _LOGICAL):
            return _LOGICAL[schema["logicalType"]](value, schema, path)
        kind = schema["type"]
        if kind == "record":
            return self._record(value, schema, path)
        if kind in {"array", "map"}:
            return self._items(value, schema, path)
        if kind == "enum":
            return _enum(value, schema, path)
        return _fixed(value, schema, path) if kind == "fixed" else _primitive(value, kind, path)

    def _branch(self, value: Any, union: list[Schema], path: str) -> Any:
        for branch in union:
            try:
                return self._value(value, branch, path)
            except Misfit as misfit:
                deepest = misfit
        if len(union) == 1 + ("null" in union):  # what is wrong inside says more than the union
            raise Misfit(deepest.path, deepest.found, f"{deepest.wanted} or null") from None
        raise Misfit(path, value, name_of(union)) from None

    def _record(self, value: Any, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        if not isinstance(value, Message) or value.avro_name != schema["name"]:
            raise Misfit(path, value, f"a struct of {schema['name']}")
        return {
            field["name"]: self._value(
                getattr(value, field["name"]),
                field["type"],
                f"{path}.{field['name']}" if path else field["name"],
            )
            for field in schema["fields"]
        }

    def _items(self, value: Any, schema: Mapping[str, Any], path: str) -> Any:
        if schema["type"] == "array":
            if not isinstance(value, list | tuple):
                raise Misfit(path, value, f"a list ({name_of(schema)})")
            items = schema["items"]
            return [self._value(item, items, f"{path}[{n}]") for n, item in enumerate(value)]
        if not isinstance(value, Mapping):
            raise Misfit(path, value, f"a dict ({name_of(schema)})")
        return {
            _primitive(key, "string", path): self._value(item, schema["values"], f"{path}[{key!r}]")
            for key, item in value.items()
        }


def _primitive(value: Any, kind: str, path: str) -> Any:
    if kind in _BITS:
        bound = 1 << _BITS[kind]
        if isinstance(value, int) and not isinstance(value, bool) and -bound <= value < bound:
            return int(value)
    elif kind in _FLOATS:
        if isinstance(value, int | float) and not isinstance(value, bool) and _packs(value, kind):
            return float(value)
    elif kind == "string":
        if isinstance(value, str) and _is_unicode(value):
            return str(value)
    elif isinstance(value, _PLAIN[kind]):
        return value
    raise Misfit(path, value, _WANTED[kind])


def _packs(value: float, kind: str) -> bool:
    try:
        _FLOATS[kind].pack(value)
    except (OverflowError, struct.error):
        return False
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _enum(value: Any, schema: Mapping[str, Any], path: str) -> Any:
    if not isinstance(value, str) or value not in schema["symbols"]:
        raise Misfit(path, value, f"one of {', '.join(schema['symbols'])}")
    return str(value)


def _fixed(value: Any, schema: Mapping[str, Any], path: str) -> Any:
    if not isinstance(value, bytes) or len(value) != schema["size"]:
        raise Misfit(path, value, f"{schema['size']} bytes")
    return value


def _timestamp(value: Any, schema: Mapping[str, Any], path: str) -> Any:
    is_local = schema["logicalType"].startswith("local-")
    if not isinstance(value, dt.datetime) or (value.utcoffset() is None) != is_local:
        raise Misfit(path, value, f"a datetime with{'out' if is_local else ''} time zone")
    return value


def _date(value: Any, _schema: Mapping[str, Any], path: str) -> Any:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise Misfit(path, value, "a date")
    return value


def _time(value: Any, _schema: Mapping[str, Any], path: str) -> Any:
    if not isinstance(value, dt.time) or value.tzinfo is not None:
        raise Misfit(path, value, "a time without time zone")
    return value


def _uuid(value: Any, schema: Mapping[str, Any], path: str) -> Any:
    if schema["type"] != "string":
        return _fixed(value, schema, path)
    if not isinstance(value, UUID):
        raise Misfit(path, value, "a UUID")
    return value


def _decimal(value: Any, schema: Mapping[str, Any], path: str) -> Any:
    precision, scale = schema["precision"], schema.get("scale", 0)
    wanted = f"a Decimal of at most {precision} digits, {scale} of them after the point"
    if not isinstance(value, Decimal) or not value.is_finite():
        raise Misfit(path, value, wanted)
    digits, exponent = len(value.as_tuple().digits), int(value.as_tuple().exponent)
    if -exponent > scale or digits + exponent + scale > precision:
        raise Misfit(path, value, wanted)
    return value


_LOGICAL: Final = {
    "timestamp-millis": _timestamp,
    "timestamp-micros": _timestamp,
    "local-timestamp-millis": _timestamp,
    "local-timestamp-micros": _timestamp,
    "date": _date,
    "time-millis": _time,
    "time-micros": _time,
    "uuid": _uuid,
    "decimal": _decimal,
}
_PLAIN: Final = {"null": type(None), "boolean": bool, "bytes": bytes}
_WANTED: Final = {
    "null": "null",
    "boolean": "true or false",
    "int": "a whole number of 32 bits",
    "long": "a whole number of 64 bits",
    "float": "a number that fits 32 bits",
    "double": "a number that fits 64 bits",
    "string": "text that UTF-8 can hold",
    "bytes": "bytes",
}
