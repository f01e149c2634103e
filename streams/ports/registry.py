"""Where schemas come from: the lock file, or later a registry over HTTP."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol


class Registry(Protocol):
    """Released schemas: their subjects, ids by subject, texts by id. Safe from any thread."""

    @property
    def subjects(self) -> Collection[str]:
        """Every subject that was ever released."""

    def schema(self, schema_id: int) -> dict[str, Any]:
        """The parsed Avro schema of an id; KeyError when no version has it."""

    def newest_id(self, subject: str) -> int:
        """The id to write `subject` with; KeyError when it was never released."""

    def subject(self, schema_id: int) -> str:
        """The subject that an id belongs to; KeyError when no version has it."""
