"""Makes a schema that names its types once and refers to them later whole again."""

from __future__ import annotations

from typing import Any

from streams.codegen.annotations import PRIMITIVES


def resolved(record: dict[str, Any]) -> dict[str, Any]:
    """The record with each reference to a named type replaced by that type's definition.

    For schemas that the linter has let pass: no type contains itself, every name is defined.
    """
    whole: dict[str, Any] = _whole(record, {})
    return whole


def _whole(schema: Any, known: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_whole(branch, known) for branch in schema]
    if isinstance(schema, str):
        return schema if schema == "null" or schema in PRIMITIVES else known[_short(schema)]
    whole = dict(schema)
    if "fields" in schema:
        whole["fields"] = [
            {**field, "type": _whole(field["type"], known)} for field in schema["fields"]
        ]
    for inner in ("items", "values"):
        if inner in schema:
            whole[inner] = _whole(schema[inner], known)
    if "name" in schema:
        whole["name"] = _short(schema["name"])
        known[whole["name"]] = whole
    return whole


def _short(name: str) -> str:
    """The name within its area; all names of a file are of one area."""
    return name.rpartition(".")[2]
