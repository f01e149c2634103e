"""What the linter says: one finding, with the file and the path of the offending field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streams.codegen.source import SchemaFile


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `path` is like `social.PhotoLiked.user_id`, a topic's name, or empty."""

    file: str
    path: str
    message: str

    @classmethod
    def of(
        cls, file: object, path: str, *, found: object, wanted: str, advice: str = ""
    ) -> Problem:
        """A finding in the three parts that every message has."""
        text = f"found {found}, wanted {wanted}"
        return cls(str(file), path, f"{text}; {advice}" if advice else text)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.path, self.message) if part)


@dataclass(slots=True)
class Review:
    """One schema file under review: the named types met so far, and what is wrong with it.

    `defined` maps names within the area to definitions, `enclosing` lists the records that the
    type under review stands inside.
    """

    file: SchemaFile
    problems: list[Problem] = field(default_factory=list)
    defined: dict[str, dict[str, Any]] = field(default_factory=dict)
    enclosing: list[str] = field(default_factory=list)

    def refuse(self, path: str, *, found: object, wanted: str, advice: str = "") -> None:
        """Note a problem at `path`."""
        self.problems.append(
            Problem.of(self.file.path, path, found=found, wanted=wanted, advice=advice)
        )
