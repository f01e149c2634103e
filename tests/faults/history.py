"""What the generators did and heard, event by event: invoke, then ok, fail or unknown.

One line of JSON each. `unknown` is an answer too: the event may or may not be in the log.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Self

import msgspec

from streams.events.message import Event

_STAMPS = frozenset({"event_id", "occurred_at"})


class Answer(Enum):
    """What became of an event, as far as its generator knows. INVOKED: it heard nothing."""

    INVOKED = "invoke"
    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Written:
    """One event that was sent: `sequence` counts those of its topic and key from 0.

    `partition` and `offset` are known after OK, where the broker still knew them (else -1).
    """

    event_id: bytes
    topic: str
    key: str
    sequence: int
    digest: int
    answer: Answer = Answer.INVOKED
    partition: int = -1
    offset: int = -1


class History:
    """The file of one trial, open for writing. Safe from any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8", buffering=1 << 16)
        self._lock = threading.Lock()

    def invoke(self, event_id: bytes, *, topic: str, key: str, sequence: int, digest: int) -> None:
        """An event is about to be sent."""
        self._line([Answer.INVOKED.value, event_id.hex(), topic, key, sequence, digest])

    def ok(self, event_id: bytes, partition: int, offset: int) -> None:
        """It was acknowledged; -1 where the broker did not say the offset."""
        self._line([Answer.OK.value, event_id.hex(), partition, offset])

    def fail(self, event_id: bytes, why: str) -> None:
        """It is certainly not in the log, and never will be."""
        self._line([Answer.FAIL.value, event_id.hex(), why])

    def unknown(self, event_id: bytes, why: str) -> None:
        """Nobody can say."""
        self._line([Answer.UNKNOWN.value, event_id.hex(), why])

    def _line(self, fields: list[Any]) -> None:
        text = json.dumps(fields)
        with self._lock:
            self._file.write(text + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._file.close()


def read_history(file: Path) -> dict[bytes, Written]:
    """Every event that was invoked, by id, in the order of invocation."""
    found: dict[bytes, Written] = {}
    for op, hexed, *rest in _lines(file):
        event_id = bytes.fromhex(hexed)
        if op == Answer.INVOKED.value:
            found[event_id] = Written(event_id, *rest)
            continue
        written = found[event_id]
        written.answer = Answer(op)
        if written.answer is Answer.OK:
            written.partition, written.offset = rest
    return found


def digest_of(event: Event) -> int:
    """What an event says, without its stamps, as a number."""
    fields = {one: getattr(event, one) for one in event.__struct_fields__ if one not in _STAMPS}
    return zlib.crc32(type(event).avro_name.encode() + msgspec.json.encode(fields))


def _lines(file: Path) -> Iterator[list[Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):  # else the writer was killed in the middle of it
                yield json.loads(line)
