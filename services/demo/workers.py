"""The workers of the service, as their status files tell."""

from __future__ import annotations

from collections.abc import Iterable

from streams.engine.status import WorkerStatus


def owned(workers: Iterable[WorkerStatus]) -> dict[str, WorkerStatus]:
    """The live worker of each partition."""
    return {name: worker for worker in workers if is_live(worker) for name in worker.partitions}


def is_live(worker: WorkerStatus) -> bool:
    """Whether it processes what it owns."""
    return worker.state == "live"


def name_of(worker: WorkerStatus) -> str:
    """What people call it."""
    return f"worker {worker.slot} (process {worker.pid})"


def count_of(worker: WorkerStatus) -> str:
    """How much it owns, in words."""
    return partitions(len(worker.partitions))


def partitions(count: int) -> str:
    """`1 partition`, `2 partitions`."""
    return f"{count:,} partition" + "s" * (count != 1)
