"""A worker's status file: who it is and what it owns, for supervisors, the demo and people."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.settings import HomeSettings, KafkaSettings


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worker as it was at `updated_us`. `partitions` are `topic/partition` texts.

    `folded` counts the records it has folded and committed; `supervisor` is the process above it.
    """

    pid: int
    slot: int
    state: str
    partitions: list[str]
    http: int
    updated_us: int
    folded: int = 0
    supervisor: int = 0


def service_home(kafka: KafkaSettings, home: Path | None = None) -> Path:
    """Where the services of a namespace keep what they have on this machine."""
    return (home or HomeSettings().home) / kafka.namespace.rstrip(".-_/")


def write_status(home: Path, service: str, status: WorkerStatus) -> None:
    """Replace the worker's file, whole."""
    file = status_file(home, service, status.slot)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".tmp")
    fresh.write_bytes(msgspec.json.encode(status))
    fresh.replace(file)


def read_statuses(home: Path, service: str) -> list[WorkerStatus]:
    """The workers of a service that left a status here, by slot; dead ones may be among them."""
    found = []
    for file in sorted((home / "run" / service).glob("*.json")):
        try:
            found.append(msgspec.json.decode(file.read_bytes(), type=WorkerStatus))
        except FileNotFoundError:
            continue
    return sorted(found, key=lambda status: status.slot)


def status_file(home: Path, service: str, slot: int) -> Path:
    """`<home>/run/<service>/<slot>.json`."""
    return home / "run" / service / f"{slot}.json"
