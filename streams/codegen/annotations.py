"""What an Avro type is in Python: the annotation of a field, its default, and its names."""

from __future__ import annotations

from typing import Any

PRIMITIVES = {
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "bytes": "bytes",
    "string": "str",
}
"""Python's type for each of Avro's that needs no import."""

LOGICAL = {
    ("int", "date"): "dt.date",
    ("int", "time-millis"): "dt.time",
    ("long", "time-micros"): "dt.time",
    ("long", "timestamp-millis"): "dt.datetime",
    ("long", "timestamp-micros"): "dt.datetime",
    ("string", "uuid"): "UUID",
    ("bytes", "decimal"): "Decimal",
    ("fixed", "decimal"): "Decimal",
}
"""Python's type for each logical type; what is not here is refused."""

IMPORTS = {
    "dt": "import datetime as dt",
    "Decimal": "from decimal import Decimal",
    "StrEnum": "from enum import StrEnum",
    "ClassVar": "from typing import ClassVar",
    "UUID": "from uuid import UUID",
}
"""The import that a text in a generated module asks for, in the order of the imports."""

TAKEN_TYPE_NAMES = frozenset(
    {"ClassVar", "Decimal", "Event", "False", "Message", "None", "Result", "StrEnum", "True",
     "UNSTAMPED", "UUID"}
)  # fmt: skip
"""Names in a generated module that no record or enum may take."""

TAKEN_FIELD_NAMES = frozenset(
    {"avro_name", "bool", "bytes", "dict", "dt", "field", "float", "int", "list", "str", "time",
     "type"}
)  # fmt: skip
"""Names that a field would hide from the fields below it, the base class or the JSON form."""


def annotation(schema: Any) -> str:
    """The Python type of a whole type that the linter has let pass."""
    if isinstance(schema, list):
        return annotation(schema[1]) + " | None"
    if isinstance(schema, str):
        return PRIMITIVES[schema]
    kind = schema["type"]
    if "logicalType" in schema:
        return LOGICAL[kind, schema["logicalType"]]
    if kind == "array":
        return f"list[{annotation(schema['items'])}]"
    if kind == "map":
        return f"dict[str, {annotation(schema['values'])}]"
    if kind in {"record", "enum"}:
        return str(schema["name"])
    return "bytes" if kind == "fixed" else PRIMITIVES[kind]


def default_text(schema: Any, default: Any, annotated: str) -> str:
    """The right side of a field with a default that the linter has let pass."""
    if isinstance(schema, list):
        return "None"
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in {"array", "map"}:
        return f"field(default_factory={'list' if kind == 'array' else 'dict'})"
    if kind in {"bytes", "fixed"}:
        return _quoted(default.encode("latin-1"))
    if kind in {"float", "double"}:
        return repr(float(default))
    if kind in {"boolean", "int", "long"}:
        return repr(default)
    return _quoted(default) if annotated == "str" else f"{annotated}.{default}"


def _quoted(value: str | bytes) -> str:
    """The literal as ruff formats it: double quotes wherever that needs no more escapes."""
    text = repr(value)
    prefix, body = ("b", text[2:-1]) if isinstance(value, bytes) else ("", text[1:-1])
    return f'{prefix}"{body}"' if '"' not in body else text
