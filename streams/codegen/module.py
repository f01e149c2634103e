"""Writes one area's Python module: a frozen struct for each record, a StrEnum for each enum."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from streams.codegen.annotations import IMPORTS, annotation, default_text
from streams.codegen.names import resolved

_WIDTH = 88  # the default of common formatters, so that a user's own leaves the module alone
_STAMPS = {"event_id": "bytes = UNSTAMPED", "occurred_at": "int = 0"}
_BASES = ("UNSTAMPED", "Event", "Message", "Result")
_DOCSTRING = re.compile('""".*?"""', re.DOTALL)
_HEAD = '''\
"""Types of the area `{area}`, generated from `avro/{area}/*.avsc`.

Change those files, then run `streams schemas generate`; `streams schemas check` refuses an
edit made here.
"""
'''


def module_text(area: str, records: Sequence[dict[str, Any]], upserts: Collection[str]) -> str:
    """The module of an area; `upserts` are full names of the records without identity or time."""
    classes: dict[str, str] = {}
    for record in records:
        is_upsert = f"{area}.{record['name']}" in upserts
        _add(resolved(record), area, "Result" if is_upsert else "Event", classes)
    body = "\n\n\n".join(classes.values())
    return f"{_HEAD.format(area=area)}\n{_imports(body)}\n\n\n{body}\n"


def _add(schema: Any, area: str, base: str, classes: dict[str, str]) -> None:
    """Write the classes of a type, inner ones first, each once."""
    if isinstance(schema, list):
        _add(schema[1], area, base, classes)
    if not isinstance(schema, dict):
        return
    for inner in (schema.get("items"), schema.get("values")):
        _add(inner, area, "Message", classes)
    for field in schema.get("fields", ()):
        _add(field["type"], area, "Message", classes)
    if schema["type"] == "record":
        classes.setdefault(schema["name"], "\n".join(_struct(schema, area, base)))
    if schema["type"] == "enum":
        classes.setdefault(schema["name"], "\n".join(_enum(schema)))


def _struct(record: Mapping[str, Any], area: str, base: str) -> Iterator[str]:
    stamps = _STAMPS if base == "Event" else {}
    fields = [field for field in record["fields"] if field["name"] not in stamps]
    yield f"class {record['name']}({base}, frozen=True, gc=False):"
    yield from _docstring(record["doc"], [(one["name"], one["doc"]) for one in fields])
    yield ""
    yield f'    avro_name: ClassVar[str] = "{area}.{record["name"]}"'
    yield ""
    for field in sorted(fields, key=lambda one: "default" in one):  # stable: required ones first
        text = annotation(field["type"])
        default = (
            f" = {default_text(field['type'], field['default'], text)}"
            if "default" in field
            else ""
        )
        yield f"    {field['name']}: {text}{default}"
    for name, text in stamps.items():
        yield f"    {name}: {text}"


def _enum(schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"class {schema['name']}(StrEnum):"
    yield from _docstring(schema["doc"], [])
    yield ""
    for symbol in schema["symbols"]:
        yield f'    {symbol} = "{symbol}"'


def _docstring(doc: str, fields: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The docstring's lines: what it is, then what each field means."""
    first, *rest = _wrapped(doc, '    """', "    ")
    if not rest and not fields:
        yield f'{first}"""'
        return
    yield first
    yield from rest
    if fields:
        yield ""
    for name, meaning in fields:
        yield from _wrapped(f"{name}: {meaning}", "    - ", "      ")
    yield '    """'


def _wrapped(text: str, first: str, later: str) -> list[str]:
    escaped = text.replace("\\", "\\\\").replace('"', "'")
    return textwrap.wrap(
        escaped, _WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    )


def _imports(body: str) -> str:
    code = _DOCSTRING.sub("", body)
    used = {name for name in (*IMPORTS, *_BASES, "field") if re.search(rf"\b{name}\b", code)}
    blocks = ["\n".join(line for name, line in IMPORTS.items() if name in used)]
    if "field" in used:
        blocks.append("from msgspec import field")
    bases = ", ".join(name for name in _BASES if name in used)
    if bases:
        blocks.append(f"from streams.events.message import {bases}")
    return "\n\n".join(blocks)
