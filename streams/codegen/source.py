"""What people write in a schemas folder: `avro/<area>/<Record>.avsc` and `topics.toml`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.avro.lock import LockFile
from streams.errors import SchemaRefused
from streams.topics.catalog import LOCK_FILE, TOPICS_FILE
from streams.topics.topic import Topic
from streams.topics.topics_file import load_topics

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


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything people write in a schemas folder, and the lock file as it is."""

    folder: Path
    files: list[SchemaFile]
    topics: Mapping[str, Topic]
    lock: LockFile

    @classmethod
    def read(cls, folder: Path) -> Sources:
        """Read a schemas folder; raises what is wrong with the first file that cannot be read."""
        files = _schemas(folder)
        topics = load_topics(folder / TOPICS_FILE, [file.full_name for file in files])
        return cls(folder, files, topics, LockFile.load(folder / LOCK_FILE))

    @property
    def topic_by_type(self) -> dict[str, Topic]:
        """The topic of each type, by full name."""
        return {name: topic for topic in self.topics.values() for name in topic.types}

    def subjects(self) -> Iterator[tuple[str, SchemaFile]]:
        """Each schema on a topic, with its subject."""
        topics = self.topic_by_type
        for file in self.files:
            if file.full_name in topics:
                yield topics[file.full_name].subject(file.full_name), file

    @property
    def upserts(self) -> frozenset[str]:
        """Full names of the types that carry neither an identity nor a time."""
        return frozenset(
            name
            for topic in self.topics.values()
            for name in (topic.types if topic.is_compacted else topic.upserts)
        )


def _schemas(folder: Path) -> list[SchemaFile]:
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
