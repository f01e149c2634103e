"""What of a reader's schema a writer's records can fill, for a decoder to read with."""

from __future__ import annotations

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
    return _Merge(writer, reader).of(writer, reader)


class _Merge:
    """Walks both schemas together; a named type is written out where it is first met."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._written = named_types(writer)
        self._read = named_types(reader)
        self._met: set[str] = set()

    def of(self, old: Schema, new: Schema) -> Schema:
        old = self._written.get(old, old) if isinstance(old, str) else old
        new = self._read.get(new, new) if isinstance(new, str) else new
        if isinstance(new, list):
            return [self.of(old, branch) for branch in new]
        if isinstance(new, str):
            return new
        if "name" in new:
            return self._of_named(old, new)
        part = next((part for part in ("items", "values") if part in new), None)
        if part is None:
            return new
        inner = self._like(old, new)
        return {**new, part: self.of(inner[part] if inner else new[part], new[part])}

    def _of_named(self, old: Schema, new: dict[str, Any]) -> Schema:
        if new["name"] in self._met:
            return new["name"]
        self._met.add(new["name"])
        if new["type"] != "record":
            return new
        record = self._like(old, new)
        written = {field["name"]: field["type"] for field in record["fields"]} if record else {}
        fields = [
            {**field, "type": self.of(written.get(field["name"], field["type"]), field["type"])}
            for field in new["fields"]
            if record is None or field["name"] in written
        ]
        return {**new, "fields": fields}

    def _like(self, old: Schema, new: dict[str, Any]) -> dict[str, Any] | None:
        """The part of `old`, one of its branches if it is a union, that `new` reads."""
        for branch in old if isinstance(old, list) else [old]:
            whole = self._written.get(branch, branch) if isinstance(branch, str) else branch
            if isinstance(whole, dict) and _looks(whole) == _looks(new):
                return whole
        return None


def _looks(schema: dict[str, Any]) -> tuple[str, str]:
    return schema["type"], short_name(schema.get("name", ""))
