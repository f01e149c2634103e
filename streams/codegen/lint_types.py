"""Rules for records and for what stands inside them, field by field."""

from __future__ import annotations

import keyword
import re
from typing import Any

from streams.codegen.annotations import PRIMITIVES, TAKEN_FIELD_NAMES
from streams.codegen.lint_defaults import review_default
from streams.codegen.lint_leaves import (
    ATTRIBUTES,
    review_attributes,
    review_enum,
    review_fixed,
    review_logical,
    review_type_name,
)
from streams.codegen.problem import Review

_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELD_ATTRIBUTES = {"name", "type", "doc", "default"}


def review_record(review: Review, schema: dict[str, Any], path: str) -> None:
    """Note what is wrong with a record, its fields and the types inside them."""
    review_attributes(review, schema, path)
    review_type_name(review, schema, path)
    _review_doc(review, schema, path)
    fields = schema.get("fields")
    if not isinstance(fields, list) or not fields:
        review.refuse(
            path,
            found="no fields",
            wanted="at least one",
            advice="a record of no bytes says nothing",
        )
        return
    review.enclosing.append(str(schema.get("name")).rpartition(".")[2])
    names: set[str] = set()
    for field in fields:
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            review.refuse(
                path, found=f"the field {field!r}", wanted='an object with "name" and "type"'
            )
            continue
        if field["name"] in names:
            review.refuse(
                f"{path}.{field['name']}", found="a second field of that name", wanted="one"
            )
        names.add(field["name"])
        _review_field(review, field, f"{path}.{field['name']}")
    review.enclosing.pop()


def _review_field(review: Review, field: dict[str, Any], path: str) -> None:
    name = field["name"]
    if not _FIELD_NAME.fullmatch(name) or keyword.iskeyword(name) or name in TAKEN_FIELD_NAMES:
        wanted = "small letters, digits and '_', no word of Python or of the generated modules"
        review.refuse(path, found=f"the field name {name!r}", wanted=wanted, advice="rename it")
    for wrong in field.keys() - _FIELD_ATTRIBUTES:
        allowed = ", ".join(sorted(_FIELD_ATTRIBUTES))
        review.refuse(path, found=f"the attribute {wrong!r}", wanted=f"only {allowed}")
    _review_doc(review, field, path)
    before = len(review.problems)
    review_type(review, field.get("type"), path)
    if len(review.problems) == before:
        review_default(review, field, path)


def _review_doc(review: Review, schema: dict[str, Any], path: str) -> None:
    doc = schema.get("doc")
    if not isinstance(doc, str) or not doc.strip():
        review.refuse(
            path, found="no doc", wanted='"doc" with a sentence for the person who reads the event'
        )


def review_type(review: Review, schema: Any, path: str) -> None:
    """Note what is wrong with a type and the types inside it."""
    if isinstance(schema, list):
        _review_union(review, schema, path)
    elif isinstance(schema, str):
        _review_name(review, schema, path)
    elif not isinstance(schema, dict) or not isinstance(schema.get("type"), str):
        review.refuse(
            path,
            found=repr(schema),
            wanted="an Avro type: a name, or an object with one as its type",
        )
    elif schema["type"] not in ATTRIBUTES:
        review.refuse(
            path, found=f"the type {schema['type']!r}", wanted=f"one of {', '.join(ATTRIBUTES)}"
        )
    else:
        _review_object(review, schema, path)


def _review_object(review: Review, schema: dict[str, Any], path: str) -> None:
    kind = schema["type"]
    if kind == "record":
        review_record(review, schema, path)
        return
    review_attributes(review, schema, path)
    if kind in {"enum", "fixed"}:
        review_type_name(review, schema, path)
    if kind == "enum":
        review_enum(review, schema, path)
    if kind == "fixed":
        review_fixed(review, schema, path)
    if kind == "array":
        review_type(review, schema.get("items"), f"{path}[]")
    if kind == "map":
        review_type(review, schema.get("values"), f"{path}{{}}")
    if "logicalType" in schema:
        review_logical(review, schema, path)


def _review_union(review: Review, schema: list[Any], path: str) -> None:
    if len(schema) != 2 or schema[0] != "null" or schema[1] == "null":
        advice = "use one record type for each alternative"
        review.refuse(path, found=f"the union {schema}", wanted='["null", TYPE]', advice=advice)
    elif isinstance(schema[1], list):
        review.refuse(path, found="a union inside a union", wanted='["null", TYPE]')
    else:
        review_type(review, schema[1], path)


def _review_name(review: Review, name: str, path: str) -> None:
    space, _, short = name.rpartition(".")
    if name in PRIMITIVES:
        return
    if name == "null":
        advice = "a few bytes could claim millions of nulls"
        review.refuse(
            path, found="null", wanted="a type whose values take at least one byte", advice=advice
        )
    elif space in {"", review.file.area} and short in review.enclosing:
        advice = "refer to the other by an id"
        review.refuse(
            path, found=f"{short} inside itself", wanted="a type of bounded depth", advice=advice
        )
    elif space not in {"", review.file.area} or short not in review.defined:
        wanted = f"one of {', '.join(PRIMITIVES)}, or a type defined further up in the same file"
        review.refuse(
            path, found=f"the type {name!r}", wanted=wanted, advice="write its definition here"
        )
