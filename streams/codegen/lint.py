"""Every rule for the `.avsc` files and `topics.toml` of a schemas folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streams.avro.fingerprint import canonical
from streams.codegen.lint_records import review_file
from streams.codegen.lint_topics import review_topics
from streams.codegen.names import resolved
from streams.codegen.problem import Problem
from streams.codegen.source import Sources
from streams.topics.catalog import TOPICS_FILE


def lint(sources: Sources) -> list[Problem]:
    """All problems; those of single files first, the rest only once there are none."""
    upserts = sources.upserts
    homes = sources.topic_by_type
    problems: list[Problem] = []
    for file in sources.files:
        role = file.full_name in upserts if file.full_name in homes else None
        problems += review_file(file, is_upsert=role)
    if problems:
        return problems
    problems += _review_shared(sources)
    problems += review_topics(sources.topics, sources.files, str(sources.folder / TOPICS_FILE))
    return problems


def _review_shared(sources: Sources) -> Iterator[Problem]:
    """Types that two files of an area define differently: the area's module has room for one."""
    homes: dict[tuple[str, str], tuple[Path, str]] = {}
    for file in sources.files:
        for definition in _named(resolved(file.schema)):
            name, text = definition["name"], json.dumps(canonical(definition), sort_keys=True)
            home, known = homes.setdefault((file.area, name), (file.path, text))
            if known != text:
                path = f"{file.full_name} → {name}"
                wanted = f"the same as in {home}"
                advice = "rename one of them"
                yield Problem.of(
                    file.path, path, found="another definition", wanted=wanted, advice=advice
                )


def _named(schema: Any) -> Iterator[dict[str, Any]]:
    """Every named type in a whole schema, itself included."""
    if isinstance(schema, list):
        yield from _named(schema[1])
    if not isinstance(schema, dict):
        return
    if "name" in schema:
        yield schema
    for field in schema.get("fields", ()):
        yield from _named(field["type"])
    yield from _named(schema.get("items", schema.get("values")))
