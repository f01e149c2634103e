"""Rules for defaults: a later reader fills an older record's gap with exactly this value."""

from __future__ import annotations

import math
from typing import Any

from streams.codegen.problem import Review

_RANGES = {"int": 2**31, "long": 2**63}


def review_default(review: Review, field: dict[str, Any], path: str) -> None:
    """Note a default that does not fit the field's type, or a nullable field without one."""
    schema = field["type"]
    if isinstance(schema, list) and ("default" not in field or field["default"] is not None):
        found = f"the default {field['default']!r}" if "default" in field else "no default"
        review.refuse(path, found=f"{found} on a nullable field", wanted='"default": null')
    if isinstance(schema, list) or "default" not in field:
        return
    if isinstance(schema, str):
        schema = review.defined.get(schema.rpartition(".")[2], {"type": schema})
    wanted = _misfit(schema, field["default"])
    if wanted:
        review.refuse(path, found=f"the default {field['default']!r}", wanted=wanted)


def _misfit(schema: dict[str, Any], default: Any) -> str:
    """What was wanted instead of `default`; empty if it fits."""
    kind = schema["type"]
    if kind == "record" or "logicalType" in schema:
        return "no default; make the field nullable, with null as its default"
    fits, wanted = {
        "boolean": (isinstance(default, bool), "true or false"),
        "int": (_is_whole(default, kind), "a whole number of 32 bits"),
        "long": (_is_whole(default, kind), "a whole number of 64 bits"),
        "float": (_is_number(default), "a finite number"),
        "double": (_is_number(default), "a finite number"),
        "string": (isinstance(default, str), "a text"),
        "bytes": (_is_latin(default), "a text of the characters 0 to 255, one a byte"),
        "fixed": (_is_latin(default, schema.get("size")), "a text with one character a byte"),
        "enum": (default in schema.get("symbols", ()), "one of the symbols"),
        "array": (default == [], "[]"),
        "map": (default == {}, "{}"),
    }.get(kind, (True, ""))  # fmt: skip
    return "" if fits else wanted


def _is_whole(value: Any, kind: str) -> bool:
    bound = _RANGES.get(kind, 0)
    return isinstance(value, int) and not isinstance(value, bool) and -bound <= value < bound


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_latin(value: Any, size: int | None = None) -> bool:
    if not isinstance(value, str) or not all(ord(character) < 256 for character in value):
        return False
    return size is None or len(value) == size
