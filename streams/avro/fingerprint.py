"""The identity of a schema: a fingerprint of what it means, and the id written before each record.

Two texts that mean the same have one fingerprint: names are made full, docs are dropped, and the
order of attributes does not matter. Defaults and logical types count, because a reader sees them.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

_ID_BASE = 2**30
_ID_BITS = 30
_KEPT = (
    "type", "name", "size", "symbols", "default", "logicalType", "precision", "scale", "items",
    "values", "fields",
)  # fmt: skip
_NAMED = frozenset({"record", "error", "enum", "fixed"})
_PRIMITIVE = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def canonical(schema: Any, namespace: str = "") -> Any:
    """The schema with full names and without docs; `namespace` is the one it stands in."""
    if isinstance(schema, list):
        return [canonical(branch, namespace) for branch in schema]
    if isinstance(schema, str):
        return schema if schema in _PRIMITIVE else _full(schema, namespace)
    if not isinstance(schema["type"], str):
        return canonical(schema["type"], namespace)
    kept = {name: schema[name] for name in _KEPT if name in schema}
    if schema["type"] in _NAMED:
        kept["name"] = _full(schema["name"], schema.get("namespace", namespace))
        namespace = kept["name"].rpartition(".")[0]
    if "fields" in kept:
        kept["fields"] = [_field(field, namespace) for field in schema["fields"]]
    for name in ("items", "values"):
        if name in kept:
            kept[name] = canonical(schema[name], namespace)
    return kept["type"] if kept.keys() == {"type"} else kept


def fingerprint(schema: Any) -> str:
    """SHA-256 of the canonical schema, as 64 hex digits."""
    text = json.dumps(canonical(schema), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def schema_id(schema: Any) -> int:
    """2^30 plus the first 30 bits of the fingerprint: never a registry's small number."""
    return _ID_BASE + (int(fingerprint(schema), 16) >> (256 - _ID_BITS))


def _field(field: dict[str, Any], namespace: str) -> dict[str, Any]:
    kept = {"name": field["name"], "type": canonical(field["type"], namespace)}
    return {**kept, "default": field["default"]} if "default" in field else kept


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"
