"""What of a reader's schema a writer's records can fill, for a decoder to read with."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from streams.avro.compatibility import check_compatible
from streams.avro.shape import Schema, named_types, short_name
from streams.errors import SchemaRefused


def readable(writer: Schema, reader: Schema) -> Schema:
    """The reader's canonical schema without the fields that the writer lacks.

    Those fields are left to the struct's defaults, which are Python values; a default in a schema
    is JSON. Raises SchemaRefused when the reader cannot read the writer at all.
    """
    problems = check_compatible(writer, reader)
    if problems:
        raise SchemaRefused(
            f"released records of {writer['name']} cannot be read with today's schema: "
            f"{'; '.join(map(str, problems))}; run `streams schemas check`",
            path=problems[0].path,
        )
    return _Merge(writer, reader).of(writer, reader, ())


def spelled_out(schema: Schema) -> Schema:
    """The schema with each reference replaced by the definition, under a namespace of its own.

    fastavro fails to resolve a definition against a reference inside a union. It matches names
    without their namespaces, so a different one at each place changes nothing. Only a type inside
    itself stays a reference.
    """
    return _Spelling(schema).of(schema, {})


class _Merge:
    """Walks both schemas together and writes a named type out wherever it is used."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._written = named_types(writer)
        self._read = named_types(reader)

    def of(self, old: Schema, new: Schema, within: tuple[str, ...]) -> Schema:
        if isinstance(new, list):
            return [self.of(old, branch, within) for branch in new]
        if isinstance(new, str):
            if new in within or new not in self._read:
                return new
            new = self._read[new]
        like = self._like(old, new)
        if new["type"] == "record":
            return self._record(like, new, (*within, new["name"]))
        part = next((part for part in ("items", "values") if part in new), None)
        if part is None:
            return new
        return {**new, part: self.of(like[part] if like else new[part], new[part], within)}

    def _record(
        self, like: dict[str, Any] | None, new: dict[str, Any], within: tuple[str, ...]
    ) -> Schema:
        written = {field["name"]: field["type"] for field in (like or new)["fields"]}
        fields = [
            {**field, "type": self.of(written[field["name"]], field["type"], within)}
            for field in new["fields"]
            if field["name"] in written
        ]
        return {**new, "fields": fields}

    def _like(self, old: Schema, new: dict[str, Any]) -> dict[str, Any] | None:
        """The part of `old`, one of its branches if it is a union, that `new` reads."""
        for branch in old if isinstance(old, list) else [old]:
            whole = self._written.get(branch, branch) if isinstance(branch, str) else branch
            if isinstance(whole, dict) and _looks(whole) == _looks(new):
                return whole
        return None


class _Spelling:
    """Gives every occurrence of a named type a name of its own."""

    def __init__(self, schema: Schema) -> None:
        self._named = named_types(schema)
        self._numbers = count()

    def of(self, schema: Schema, within: Mapping[str, str]) -> Schema:
        if isinstance(schema, list):
            return [self.of(branch, within) for branch in schema]
        if isinstance(schema, str):
            if schema in within or schema not in self._named:
                return within.get(schema, schema)
            schema = self._named[schema]
        spelled = dict(schema)
        if "name" in schema:
            spelled["name"] = f"place{next(self._numbers)}.{short_name(schema['name'])}"
            within = {**within, schema["name"]: spelled["name"]}
        if "fields" in schema:
            spelled["fields"] = [
                {**field, "type": self.of(field["type"], within)} for field in schema["fields"]
            ]
        for part in ("items", "values"):
            if part in schema:
                spelled[part] = self.of(schema[part], within)
        return spelled


def _looks(schema: dict[str, Any]) -> tuple[str, str]:
    return schema["type"], short_name(schema.get("name", ""))
