"""What a schemas folder should hold: a module for each area, and a lock entry for each schema."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from streams.avro.lock import LockFile
from streams.codegen.module import module_text
from streams.codegen.source import Sources
from streams.topics.catalog import LOCK_FILE


def modules(sources: Sources) -> dict[Path, str]:
    """The text of each generated module, by its path."""
    upserts = sources.upserts
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
