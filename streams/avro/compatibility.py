"""Whether a program with one schema reads what was written with another: Avro's resolution rules.

`streams schemas check` asks this of a new schema and every released version (BACKWARD_TRANSITIVE,
because a replay reads them all), and a decoder asks it before it trusts a registry. Two rules are
stricter than Avro's: logical types must be the same, because they decide the Python type of a
field, and aliases are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from streams.avro.fingerprint import canonical
from streams.avro.shape import Schema, named_types, short_name

PROMOTIONS: Final = frozenset(
    {
        ("int", "long"),
        ("int", "float"),
        ("int", "double"),
        ("long", "float"),
        ("long", "double"),
        ("float", "double"),
        ("string", "bytes"),
        ("bytes", "string"),
    }
)
"""Pairs (written, read) of primitive types that Avro lets differ."""


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One place where the new schema cannot read the old; `path` is dotted, from the record down.

    `found` is what the new schema has there, `wanted` what would be compatible.
    """

    path: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.path or 'record'}: found {self.found}, wanted {self.wanted}"


def check_compatible(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Incompatibility]:
    """Every reason why a reader with `new` cannot read what was written with `old`; [] = it can."""
    written, read = canonical(old), canonical(new)
    return list(_Check(named_types(written), named_types(read)).of(written, read, ""))


class _Check:
    """Compares two schemas part by part; a pair of records already being compared is fine."""

    def __init__(self, written: Mapping[str, Schema], read: Mapping[str, Schema]) -> None:
        self._written = written
        self._read = read
        self._open: set[tuple[str, str]] = set()

    def of(self, old: Schema, new: Schema, path: str) -> Iterator[Incompatibility]:
        if isinstance(old, str):
            old = self._written.get(old, old)
        if isinstance(new, str):
            new = self._read.get(new, new)
        if isinstance(old, list):
            for branch in old:
                yield from self.of(branch, new, path)
        elif isinstance(new, list):
            if not any(self._reads(old, branch, path) for branch in new):
                yield Incompatibility(path, name_of(new), f"a union with {name_of(old)}")
        else:
            yield from self._of_single(old, new, path)

    def _reads(self, old: Schema, new: Schema, path: str) -> bool:
        return not list(self.of(old, new, path))

    def _of_single(self, old: Schema, new: Schema, path: str) -> Iterator[Incompatibility]:
        kind, wanted = _kind(old), _kind(new)
        if (kind != wanted and (kind, wanted) not in PROMOTIONS) or _logical(old) != _logical(new):
            yield Incompatibility(path, name_of(new), name_of(old))
        elif kind in {"record", "enum", "fixed"}:
            yield from self._of_named(kind, old, new, path)
        elif kind in {"array", "map"}:
            part, mark = ("items", "[]") if kind == "array" else ("values", "{}")
            yield from self.of(old[part], new[part], path + mark)

    def _of_named(
        self, kind: str, old: dict[str, Any], new: dict[str, Any], path: str
    ) -> Iterator[Incompatibility]:
        if short_name(old["name"]) != short_name(new["name"]):
            yield Incompatibility(path, f"{kind} {new['name']}", f"{kind} {old['name']}")
        elif kind == "fixed" and old["size"] != new["size"]:
            yield Incompatibility(path, f"size {new['size']}", f"size {old['size']}")
        elif kind == "enum":
            yield from _of_enum(old, new, path)
        elif kind == "record" and (old["name"], new["name"]) not in self._open:
            self._open.add((old["name"], new["name"]))
            yield from self._of_fields(old, new, path)
            self._open.discard((old["name"], new["name"]))

    def _of_fields(
        self, old: dict[str, Any], new: dict[str, Any], path: str
    ) -> Iterator[Incompatibility]:
        written = {field["name"]: field["type"] for field in old["fields"]}
        for field in new["fields"]:
            place = f"{path}.{field['name']}" if path else field["name"]
            if field["name"] in written:
                yield from self.of(written[field["name"]], field["type"], place)
            elif "default" not in field:
                yield Incompatibility(place, "a new field without default", "a default")


def _of_enum(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Incompatibility]:
    missing = [symbol for symbol in old["symbols"] if symbol not in new["symbols"]]
    if missing and not new.get("default"):
        yield Incompatibility(
            path, f"an enum without {', '.join(missing)}", "every released symbol, or a default"
        )


def name_of(schema: Schema) -> str:
    """A type as people say it: `long`, `timestamp-micros`, `array of string`, `null or long`."""
    if isinstance(schema, list):
        return " or ".join(name_of(branch) for branch in schema)
    if isinstance(schema, str):
        return schema
    if "logicalType" in schema:
        return str(schema["logicalType"])
    if "name" in schema:
        return f"{schema['type']} {schema['name']}"
    part = schema.get("items", schema.get("values"))
    return str(schema["type"]) if part is None else f"{schema['type']} of {name_of(part)}"


def _kind(schema: Schema) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])


def _logical(schema: Schema) -> tuple[str, int, int]:
    """Logical type, precision and scale; what decides the Python type of a value."""
    if isinstance(schema, str):
        return "", 0, 0
    return schema.get("logicalType", ""), schema.get("precision", 0), schema.get("scale", 0)
