"""Reads the `.avsc` files of a schemas folder: `avro/<area>/<Record>.avsc`, one record a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.errors import SchemaRefused

AVRO_FOLDER = "avro"


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """One `.avsc` file: where it is, the area it belongs to, and its record as written."""

    path: Path
    schema: dict[str, Any]

    @property
    def area(self) -> str:
        """The namespace that the file's folder asks for."""
        return self.path.parent.name

    @property
    def full_name(self) -> str:
        """The full name that the file's place asks for."""
        return f"{self.area}.{self.path.stem}"


def read_schemas(folder: Path) -> list[SchemaFile]:
    """Every schema below `folder/avro`, by area and name; SchemaRefused for one that is no JSON."""
    return [
        SchemaFile(path, _record(path)) for path in sorted(folder.glob(f"{AVRO_FOLDER}/*/*.avsc"))
    ]


def _record(path: Path) -> dict[str, Any]:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise SchemaRefused(f"{path}: found no JSON ({exc}); wanted one Avro record") from exc
    if not isinstance(schema, dict) or schema.get("type") != "record":
        found = schema.get("type") if isinstance(schema, dict) else type(schema).__name__
        raise SchemaRefused(f'{path}: found {found!r}, wanted one object of type "record"')
    return schema
