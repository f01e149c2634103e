"""Whether the workers of one run have opened every input partition of their service.

A committed position at the end of a log does not say that anybody may go on from it: that is found
out when the partition is opened (folds, topic, store, decisions) and when what was folded before is
folded again in silence. So no service has caught up before its partitions were open and live.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from streams.clock import monotonic_s
from streams.engine.status import WorkerStatus, read_statuses
from streams.logs import get_logger
from streams.ports.records import TopicPartition

ELSEWHERE_S: Final = 15.0
"""What no worker of a run was given by then, counted from when all of them were live, is owned by
workers elsewhere: a group hands its partitions out within a few heartbeats (5 s each)."""


class Coverage:
    """What the workers that one supervisor started say of themselves. One thread owns it."""

    def __init__(self, home: Path, service: str, *, workers: int, supervisor: int) -> None:
        self._home = home
        self._service = service
        self._workers = workers
        self._supervisor = supervisor
        self._all_live_s: float | None = None
        self._folded: dict[int, int] = {}

    @property
    def folded(self) -> int:
        """Records that these workers have folded and committed, as far as they said so."""
        return sum(self._folded.values())

    def is_complete(self, partitions: Collection[TopicPartition], since_us: int) -> bool:
        """Whether, since a moment, all workers said that they are live and own every partition."""
        found = [
            one
            for one in read_statuses(self._home, self._service)
            if one.supervisor == self._supervisor
        ]
        self._folded.update((one.pid, one.folded) for one in found)
        if len(found) < self._workers or any(one.state != "live" for one in found):
            self._all_live_s = None
            return False
        if self._all_live_s is None:
            self._all_live_s = monotonic_s()
        if any(one.updated_us < since_us for one in found):
            return False
        missing = _missing(partitions, found)
        if missing and monotonic_s() - self._all_live_s >= ELSEWHERE_S:
            get_logger().info(
                "partitions are open in workers of another run",
                action="elsewhere",
                service=self._service,
                partitions=missing,
            )
            return True
        return not missing


def _missing(
    partitions: Collection[TopicPartition], workers: Collection[WorkerStatus]
) -> list[str]:
    opened = {source for one in workers for source in one.partitions}
    return [str(source) for source in partitions if str(source) not in opened]
