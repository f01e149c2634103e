"""What kinds of parts a schema has, as far as decoding it safely depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Schema = Any
"""A canonical schema (`fingerprint.canonical`): full names, each defined where it is first used."""


def short_name(full_name: str) -> str:
    """A name without its namespace; schema resolution compares nothing else."""
    return full_name.rpartition(".")[2]


def named_types(schema: Schema) -> dict[str, Schema]:
    """Records, enums and fixed types of a canonical schema by full name."""
    found: dict[str, Schema] = {}
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif not isinstance(part, str):
            if "name" in part:
                found[part["name"]] = part
            waiting.extend(field["type"] for field in part.get("fields", ()))
            waiting.extend(part[inner] for inner in ("items", "values") if inner in part)
    return found


@dataclass(slots=True)
class Shape:
    """Facts about a canonical schema.

    `has_blocks`: arrays or maps. `has_empty_values`: values of no bytes (null outside a union, a
    fixed of size 0, a record without fields). `has_records`: records below the top one.
    """

    is_recursive: bool = False
    has_blocks: bool = False
    has_empty_values: bool = False
    has_records: bool = False

    @classmethod
    def of(cls, schema: Schema) -> Shape:
        """The shape of a canonical schema."""
        shape = cls()
        shape._see(schema, ())
        return shape

    def _see(self, schema: Schema, within: tuple[str, ...]) -> None:
        if isinstance(schema, list):
            for branch in schema:
                if branch != "null":
                    self._see(branch, within)
        elif isinstance(schema, str):
            self.is_recursive |= schema in within
            self.has_empty_values |= schema == "null"
        elif schema["type"] == "record":
            self.has_records |= bool(within)
            self.has_empty_values |= not schema["fields"]
            for field in schema["fields"]:
                self._see(field["type"], (*within, schema["name"]))
        else:
            self.has_empty_values |= schema.get("size") == 0
            for part in ("items", "values"):
                if part in schema:
                    self.has_blocks = True
                    self._see(schema[part], within)


def weights(schema: Schema, known: dict[str, int]) -> int:
    """How many values one value of `schema` is made of at least; `known` collects named types."""
    if isinstance(schema, list):
        return max((weights(branch, known) for branch in schema), default=1)
    if isinstance(schema, str):
        return known.get(schema, 1)
    if schema["type"] != "record":
        return 1
    total = sum(weights(field["type"], known) for field in schema["fields"])
    known[schema["name"]] = max(1, total)
    return known[schema["name"]]
