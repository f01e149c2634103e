"""Rules for types without types inside: names, attributes, enums, fixed and logical types."""

from __future__ import annotations

import re
from typing import Any

from streams.codegen.annotations import LOGICAL, PRIMITIVES, TAKEN_TYPE_NAMES
from streams.codegen.problem import Review

_TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9_]*")
ATTRIBUTES = {
    "record": {"name", "namespace", "doc", "fields"},
    "enum": {"name", "namespace", "doc", "symbols", "default"},
    "fixed": {"name", "namespace", "doc", "size", "logicalType", "precision", "scale"},
    "array": {"items"},
    "map": {"values"},
    **{name: {"logicalType", "precision", "scale"} for name in PRIMITIVES},
}
"""What may stand in a type beside `type`; the rest would be ignored, or mean a misspelling."""


def review_attributes(review: Review, schema: dict[str, Any], path: str) -> None:
    """Note attributes that would be ignored."""
    allowed = ATTRIBUTES[schema["type"]]
    for name in schema.keys() - allowed - {"type"}:
        review.refuse(
            path, found=f"the attribute {name!r}", wanted=f"only {', '.join(sorted(allowed))} here"
        )


def review_type_name(review: Review, schema: dict[str, Any], path: str) -> None:
    """Note a name that Python or another area would trip over, and remember the definition."""
    area, name = review.file.area, str(schema.get("name", ""))
    space, _, short = name.rpartition(".")
    if not _TYPE_NAME.fullmatch(short) or short in TAKEN_TYPE_NAMES:
        wanted = "letters and digits after a capital, not a name that generated modules use"
        review.refuse(path, found=f"the name {name!r}", wanted=wanted)
    namespace = space or schema.get("namespace", area)
    if namespace != area:
        review.refuse(
            path,
            found=f"the namespace {namespace!r}",
            wanted=repr(area),
            advice="use the folder's name",
        )
    if short in review.defined:
        review.refuse(
            path,
            found=f"a second definition of {short}",
            wanted="one",
            advice="refer to it by its name",
        )
    review.defined[short] = schema


def review_enum(review: Review, schema: dict[str, Any], path: str) -> None:
    """Note a missing doc, and symbols that Python could not take."""
    symbols = schema.get("symbols")
    if not isinstance(schema.get("doc"), str) or not schema["doc"].strip():
        review.refuse(
            path, found="an enum without doc", wanted="a sentence that says what it tells apart"
        )
    if not isinstance(symbols, list) or not symbols or len(set(map(str, symbols))) < len(symbols):
        review.refuse(
            path, found=f"the symbols {symbols!r}", wanted="a list of different names, at least one"
        )
        return
    for symbol in symbols:
        if not isinstance(symbol, str) or not _SYMBOL.fullmatch(symbol):
            review.refuse(path, found=f"the symbol {symbol!r}", wanted="capitals, digits and '_'")
    if "default" in schema and schema["default"] not in symbols:
        review.refuse(path, found=f"the default {schema['default']!r}", wanted="one of the symbols")


def review_fixed(review: Review, schema: dict[str, Any], path: str) -> None:
    """Note a size that is none, or that makes values of no bytes."""
    if not _is_count(schema.get("size"), 1):
        review.refuse(path, found=f"the size {schema.get('size')!r}", wanted="at least 1 byte")


def review_logical(review: Review, schema: dict[str, Any], path: str) -> None:
    """Note a logical type that has no plain Python type, and a decimal without bounds."""
    kind, logical = schema["type"], str(schema["logicalType"])
    if (kind, logical) not in LOGICAL:
        known = ", ".join(f"{name} on {base}" for base, name in LOGICAL)
        review.refuse(
            path, found=f"the logical type {logical!r} on {kind}", wanted=f"one of {known}"
        )
    elif logical == "decimal" and not (
        _is_count(schema.get("precision"), 1)
        and _is_count(schema.get("scale", 0), 0)
        and schema.get("scale", 0) <= schema["precision"]
    ):
        found = f"precision {schema.get('precision')!r} and scale {schema.get('scale', 0)!r}"
        review.refuse(
            path,
            found=found,
            wanted="a precision of at least 1 and a scale from 0 to the precision",
        )


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
