"""Whether a schemas folder can be released: rules, compatibility, lock file and generated code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streams.avro.compatibility import check_compatible
from streams.avro.fingerprint import schema_id
from streams.codegen.generate import modules, released
from streams.codegen.lint import lint
from streams.codegen.problem import Problem
from streams.codegen.source import Sources
from streams.errors import InputError
from streams.topics.catalog import LOCK_FILE

_GENERATE = "run `streams schemas generate` and commit what it writes"


def check_sources(sources: Sources) -> list[Problem]:
    """Why `generate` must refuse: broken rules, then versions that replays could not read."""
    return lint(sources) or list(_incompatible(sources)) or list(_collisions(sources))


def check_folder(folder: Path) -> list[Problem]:
    """Everything wrong with a schemas folder, drift of what is generated included."""
    try:
        sources = Sources.read(folder)
    except InputError as exc:
        return [Problem("", "", str(exc))]
    return check_sources(sources) or [*_unreleased(sources), *_drifted(sources)]


def _incompatible(sources: Sources) -> Iterator[Problem]:
    """Changes that are not BACKWARD_TRANSITIVE: a replay reads every version with the newest."""
    for subject, file in sources.subjects():
        for version in sources.lock.subjects.get(subject, ()):
            for one in check_compatible(version.schema, file.schema):
                path = f"{file.full_name}.{one.path}" if one.path else file.full_name
                advice = (
                    f"every record of version {version.id} must stay readable; if that was never "
                    f"released, delete its line in {LOCK_FILE}"
                )
                yield Problem.of(file.path, path, found=one.found, wanted=one.wanted, advice=advice)


def _collisions(sources: Sources) -> Iterator[Problem]:
    try:
        released(sources)
    except InputError as exc:
        yield Problem(str(sources.folder / LOCK_FILE), "", str(exc))


def _unreleased(sources: Sources) -> Iterator[Problem]:
    for subject, file in sources.subjects():
        versions = sources.lock.subjects.get(subject)
        if not versions or versions[-1].id != schema_id(file.schema):
            lock = sources.folder / LOCK_FILE
            found = f"no version that equals {file.path}"
            yield Problem.of(
                lock, subject, found=found, wanted="one as the newest", advice=_GENERATE
            )


def _drifted(sources: Sources) -> Iterator[Problem]:
    for path, text in modules(sources).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found = "code that differs from the schemas" if path.is_file() else "no such file"
            yield Problem.of(
                path, "", found=found, wanted="what the schemas generate", advice=_GENERATE
            )
