"""What the program of a peer is to do: its one argument, and the lines it prints.

The programs run in environments of their own, so this imports nothing but fastavro and the standard
library, and is imported from the folder of the programs, not as a part of the project.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NoReturn

import fastavro

Kinds = dict[bytes, tuple[dict, bool]]
"""Parsed writer schema, and whether the record is a like, by the first five bytes of a value."""

_LIKES_COUNTED = fastavro.parse_schema(
    {
        "type": "record",
        "name": "LikesCounted",
        "fields": [{"name": "photo_id", "type": "long"}, {"name": "likes", "type": "long"}],
    }
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a peer; `settings` holds what only this peer understands."""

    bootstrap: str
    into: str
    group: str
    events: int
    job: str
    source: str = ""
    schemas: dict[str, dict] = field(default_factory=dict)
    result_id: int = 0
    state: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_command_line(cls, *jobs: str, settings: dict[str, Any]) -> Job:
        """The job of this process; refuses one that is not among `jobs`.

        `settings` are the peer's own with their defaults; a setting it does not have is refused.
        """
        given = json.loads(sys.argv[1])
        fields = {name: given.pop(name) for name in cls.__dataclass_fields__ if name in given}
        job = cls(**fields, settings=settings | given)
        if job.job not in jobs:
            refuse(f"cannot do the job {job.job!r}, only {', '.join(jobs)}")
        if unknown := sorted(given.keys() - settings.keys()):
            refuse(f"has no setting {', '.join(unknown)}, only {', '.join(sorted(settings))}")
        return job

    def kinds(self) -> Kinds:
        """How to read a value, by its first five bytes: Confluent's zero and schema id."""
        return {
            b"\0" + int(schema_id).to_bytes(4, "big"): (
                fastavro.parse_schema(schema),
                schema["name"].endswith("PhotoLiked"),
            )
            for schema_id, schema in self.schemas.items()
        }


class ResultEncoder:
    """Makes values of `LikesCounted`, and counts them."""

    def __init__(self, job: Job) -> None:
        self._prefix = b"\0" + job.result_id.to_bytes(4, "big")
        self.outputs = 0

    def encode(self, photo_id: int, likes: int) -> bytes:
        value = BytesIO()
        value.write(self._prefix)
        fastavro.schemaless_writer(value, _LIKES_COUNTED, {"photo_id": photo_id, "likes": likes})
        self.outputs += 1
        return value.getvalue()


def started() -> None:
    """Say that the first record is being handled."""
    print("start", flush=True)


def ended(**facts: Any) -> None:
    """Say that all is committed."""
    print("end", flush=True)
    print(json.dumps(facts), flush=True)


def refuse(why: str) -> NoReturn:
    """End the program: it cannot do what is asked."""
    raise SystemExit(f"{os.path.basename(sys.argv[0])} {why}")
