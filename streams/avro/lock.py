"""The lock file: every version ever released of every subject. The embedded registry.

One line a version, so that a release shows as the lines it adds. The last version of a subject is
the one to write with; a schema that returns to an earlier text moves its line to the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.avro.fingerprint import canonical, fingerprint, schema_id
from streams.errors import ConfigurationError, SchemaRefused

_FORMAT = 1
_MEND = "run `streams schemas generate`, or restore the file from version control"


@dataclass(frozen=True, slots=True)
class Version:
    """One released schema: its id, the fingerprint the id is cut from, and its text, parsed."""

    id: int
    fingerprint: str
    schema: dict[str, Any]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Version:
        """The version that releasing `schema` makes; docs are no part of it."""
        return cls(schema_id(schema), fingerprint(schema), canonical(schema))


@dataclass(frozen=True, slots=True)
class LockFile:
    """Released versions by subject, oldest first. Implements the `Registry` port."""

    subjects: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    _by_id: dict[int, tuple[str, Version]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for subject, version in self._entries():
            other, known = self._by_id.setdefault(version.id, (subject, version))
            if known.fingerprint != version.fingerprint:
                raise SchemaRefused(
                    f"{subject}: found the id {version.id}, which {other} has for another schema; "
                    "wanted one schema an id; change a name or a default in the newer one",
                    path=subject,
                )

    @classmethod
    def load(cls, path: Path) -> LockFile:
        """The lock file at `path`, an empty one if there is none; ConfigurationError if broken."""
        if not path.exists():
            return cls()
        return cls.parse(path.read_text(encoding="utf-8"), str(path))

    @classmethod
    def parse(cls, text: str, name: str = "lock.json") -> LockFile:
        """The lock file in `text`; every id and fingerprint is checked against its schema."""
        try:
            content = json.loads(text)
            found = content["format"]
            subjects = {
                subject: tuple(_version(entry, f"{name}: {subject}") for entry in entries)
                for subject, entries in content["subjects"].items()
                if entries
            }
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ConfigurationError(f"{name}: found no lock file ({exc!r}); {_MEND}") from exc
        if found != _FORMAT:
            raise ConfigurationError(
                f"{name}: found format {found}, wanted {_FORMAT}; use the version of the library "
                "that wrote it"
            )
        return cls(subjects)

    def schema(self, schema_id: int) -> dict[str, Any]:
        return self._by_id[schema_id][1].schema

    def newest_id(self, subject: str) -> int:
        return self.subjects[subject][-1].id

    def subject(self, schema_id: int) -> str:
        return self._by_id[schema_id][0]

    def with_version(self, subject: str, schema: Mapping[str, Any]) -> LockFile:
        """The same lock file with `schema` as the newest version of `subject`."""
        new = Version.of(schema)
        older = (one for one in self.subjects.get(subject, ()) if one.id != new.id)
        return LockFile({**self.subjects, subject: (*older, new)})

    def dumps(self) -> str:
        """The text of the file: subjects sorted, one line a version."""
        blocks = []
        for subject in sorted(self.subjects):
            lines = ",\n".join("      " + _line(one) for one in self.subjects[subject])
            blocks.append(f"    {json.dumps(subject)}: [\n{lines}\n    ]")
        body = ",\n".join(blocks)
        return f'{{\n  "format": {_FORMAT},\n  "subjects": {{\n{body}\n  }}\n}}\n'

    def _entries(self) -> Iterator[tuple[str, Version]]:
        for subject, versions in self.subjects.items():
            for version in versions:
                yield subject, version


def _version(entry: Mapping[str, Any], place: str) -> Version:
    version = Version.of(entry["schema"])
    if (entry["id"], entry["fingerprint"]) != (version.id, version.fingerprint):
        raise ConfigurationError(
            f"{place}: found id {entry['id']} and fingerprint {entry['fingerprint'][:12]}…, wanted "
            f"{version.id} and {version.fingerprint[:12]}… for its schema; the line was edited by "
            "hand: restore it from version control"
        )
    return version


def _line(version: Version) -> str:
    entry = {"id": version.id, "fingerprint": version.fingerprint, "schema": version.schema}
    return json.dumps(entry, ensure_ascii=False)
