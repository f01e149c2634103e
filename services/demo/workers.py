"""What each worker of a service says of itself, from the status files in its home folder."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process; `partitions` are texts such as `social.photos/0`."""

    slot: int
    pid: int
    state: str
    partitions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return f"worker {self.slot} (process {self.pid})"

    @property
    def is_live(self) -> bool:
        """Whether it processes what it owns."""
        return self.state == "live"


def read_workers(home: Path, service: str) -> list[Worker]:
    """The workers of a service by slot; a file that is just being written is left out."""
    found = []
    for file in (home / "run" / service).glob("*.json"):
        try:
            found.append(msgspec.json.decode(file.read_bytes(), type=Worker))
        except (OSError, msgspec.DecodeError):
            continue
    return sorted(found, key=lambda worker: worker.slot)


def owned(workers: list[Worker]) -> dict[str, Worker]:
    """The live worker of each partition."""
    return {name: worker for worker in workers if worker.is_live for name in worker.partitions}
