"""What a schemas folder should hold: a module for each area, and a lock entry for each schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from streams.avro.lock import LockFile
from streams.codegen.module import module_text
from streams.codegen.source import SchemaFile, read_schemas
from streams.topics.catalog import LOCK_FILE, TOPICS_FILE
from streams.topics.topic import Kind, Topic
from streams.topics.topics_file import parse_topics


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
        files = read_schemas(folder)
        topics_file = folder / TOPICS_FILE
        topics = parse_topics(
            topics_file.read_text(encoding="utf-8"),
            [file.full_name for file in files],
            str(topics_file),
        )
        return cls(folder, files, topics, LockFile.load(folder / LOCK_FILE))

    @property
    def topic_by_type(self) -> dict[str, Topic]:
        """The topic of each type, by full name."""
        return {name: topic for topic in self.topics.values() for name in topic.types}

    def subjects(self) -> Iterable[tuple[str, SchemaFile]]:
        """Each schema on a topic, with its subject."""
        topics = self.topic_by_type
        for file in self.files:
            if file.full_name in topics:
                yield topics[file.full_name].subject(file.full_name), file


def modules(sources: Sources) -> dict[Path, str]:
    """The text of each generated module, by its path."""
    upserts = upserted(sources.topics.values())
    areas = groupby(sources.files, key=lambda file: file.area)
    return {
        sources.folder / f"{area}.py": module_text(area, [one.schema for one in files], upserts)
        for area, files in areas
    }


def released(sources: Sources) -> LockFile:
    """The lock file with every schema that is on a topic as the newest version of its subject."""
    lock = sources.lock
    for subject, file in sources.subjects():
        lock = lock.with_version(subject, file.schema)
    return lock


def upserted(topics: Iterable[Topic]) -> frozenset[str]:
    """Full names of the types that carry neither an identity nor a time."""
    return frozenset(
        name
        for topic in topics
        for name in (topic.types if topic.kind is Kind.RESULTS else topic.upserts)
    )


def generate(sources: Sources) -> list[Path]:
    """Write modules and lock file; returns the files that changed."""
    texts = modules(sources)
    texts[sources.folder / LOCK_FILE] = released(sources).dumps()
    changed = [path for path, text in texts.items() if _text(path) != text]
    for path in changed:
        path.write_text(texts[path], encoding="utf-8")
    return changed


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
