"""Rules for a whole `.avsc` file: its place, and what its role on a topic asks of it."""

from __future__ import annotations

import keyword
import re
from typing import Any, Final

from streams.codegen.lint_types import review_record
from streams.codegen.names import resolved
from streams.codegen.problem import Problem, Review
from streams.codegen.source import SchemaFile

_AREA = re.compile(r"[a-z][a-z0-9_]*")
_STAMPS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("event_id", {"type": "fixed", "name": "EventId", "size": 16}, "a plain fixed of 16 bytes"),
    ("occurred_at", {"type": "long", "logicalType": "timestamp-micros"}, "a timestamp-micros"),
)
"""The fields that every event and fact begins with: name, type, and the type in words."""


def review_file(file: SchemaFile, *, is_upsert: bool | None) -> list[Problem]:
    """What is wrong with a schema file; `is_upsert` None where no topic tells."""
    review = Review(file)
    path = file.full_name
    _review_place(review, path)
    review_record(review, file.schema, path)
    if review.problems or is_upsert is None:
        return review.problems
    fields = resolved(file.schema)["fields"]
    if is_upsert:
        _review_without_stamps(review, fields, path)
    else:
        _review_stamps(review, fields, path)
    return review.problems


def _review_place(review: Review, path: str) -> None:
    file = review.file
    if not _AREA.fullmatch(file.area) or keyword.iskeyword(file.area):
        wanted = "small letters, digits and '_', no word of Python"
        review.refuse(
            path, found=f"the area {file.area!r}", wanted=wanted, advice="rename the folder"
        )
    if file.schema.get("name") != file.path.stem:
        found = f"the record {file.schema.get('name')!r} in {file.path.name}"
        review.refuse(
            path, found=found, wanted="a file named after its record", advice="rename one of them"
        )
    if file.schema.get("namespace") != file.area:
        found = f"the namespace {file.schema.get('namespace')!r}"
        review.refuse(path, found=found, wanted=repr(file.area), advice="use the folder's name")


def _review_stamps(review: Review, fields: list[dict[str, Any]], path: str) -> None:
    for index, (name, wanted_type, words) in enumerate(_STAMPS):
        here = f"{path}.{name}"
        wanted = f"{words} named {name} as field {index + 1}, without default"
        advice = f'write {{"name": "{name}", "type": {wanted_type}, "doc": …}}'.replace("'", '"')
        if index >= len(fields) or fields[index]["name"] != name:
            found = fields[index]["name"] if index < len(fields) else "no more fields"
            review.refuse(here, found=found, wanted=wanted, advice=advice)
        elif not _is_stamp(fields[index], wanted_type):
            review.refuse(
                here, found=f"the type {fields[index]['type']}", wanted=wanted, advice=advice
            )


def _is_stamp(field: dict[str, Any], wanted: dict[str, Any]) -> bool:
    kind = field["type"]
    if "default" in field or not isinstance(kind, dict):
        return False
    return {**kind, "name": wanted.get("name")} == {"name": None, **wanted}


def _review_without_stamps(review: Review, fields: list[dict[str, Any]], path: str) -> None:
    stamps = {name for name, _, _ in _STAMPS}
    for field in fields:
        if field["name"] in stamps:
            advice = "a result's position and cause travel in headers"
            review.refuse(
                f"{path}.{field['name']}",
                found="it on a result or upsert",
                wanted="no such field",
                advice=advice,
            )
