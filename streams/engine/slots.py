"""Who this worker is: an id of the state folder, and a slot in it.

The transactional id is `<service>.<instance>.<slot>`: a worker that starts again in its slot
aborts at once what its dead self left open.
"""

from __future__ import annotations

import fcntl
import re
import uuid
from pathlib import Path
from typing import IO, Protocol

from streams.errors import ConfigurationError

MAX_SLOTS = 1_000

_ID = re.compile(rb"[0-9a-f]{12}")


class Identity(Protocol):
    """Who a worker is, for its transactional id."""

    @property
    def number(self) -> int:
        """The slot that it holds."""

    @property
    def instance(self) -> str:
        """An id that all workers of one home share, and no other home has."""


class Slot:
    """A slot held under a file lock until `release`, or until the process ends."""

    def __init__(self, folder: Path, number: int, lock: IO[str]) -> None:
        self.number = number
        self._folder = folder
        self._lock: IO[str] | None = lock

    @classmethod
    def take(cls, home: Path, service: str, preferred: int = 0) -> Slot:
        """The preferred slot, else the first free one."""
        folder = home / "state" / service / "slots"
        folder.mkdir(parents=True, exist_ok=True)
        for number in (preferred, *range(MAX_SLOTS)):
            lock = (folder / f"{number}.lock").open("w", encoding="utf-8")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return cls(folder, number, lock)
        raise ConfigurationError(f"found {MAX_SLOTS} workers of {service} in {home}, wanted fewer")

    @property
    def instance(self) -> str:
        """An id drawn once for this folder, the same for all its workers; anew where it is torn."""
        file = self._folder / "instance"
        with (self._folder / "instance.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_id(file):
                draft = file.with_suffix(".new")
                draft.write_text(uuid.uuid4().hex[:12], encoding="utf-8")
                draft.replace(file)  # whole or not at all: half an id may be another host's too
        return file.read_text(encoding="utf-8")

    def release(self) -> None:
        """Let another worker have the slot; releasing twice is fine."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()


def _is_id(file: Path) -> bool:
    return file.exists() and _ID.fullmatch(file.read_bytes()) is not None
