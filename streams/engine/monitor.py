"""What others may see of a worker: its state for the probes, its lag, its status file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from streams import metrics
from streams.clock import monotonic_s, now_us
from streams.engine.assignment import Assignment
from streams.engine.partition import Partition
from streams.engine.stage import Stage
from streams.engine.status import WorkerStatus, status_file, write_status
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import Log

STUCK_S = 300.0
"""The group gives up on a worker that did not poll for this long (`max.poll.interval.ms`)."""

_INTERVAL_S = 0.5
_JOIN_S = 0.5  # a question to a broker that does not answer takes longer, and says nothing more
_LAG_INTERVAL_S = 5.0


class Monitor:
    """A thread beside the loop; it only reads what the loop owns. Implements the probe of `health`.

    `port` is where the health server answers, 0 while it does not; `turned_s` tells when the loop's
    newest round began.
    """

    def __init__(
        self,
        service: Service,
        slot: int,
        home: Path,
        log: Log,
        *,
        assignment: Assignment,
        turned_s: Callable[[], float],
    ) -> None:
        self._service = service.name
        self._slot = slot
        self._home = home
        self._log = log
        self._assignment = assignment
        self._turned_s = turned_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        self._lag_due_s = monotonic_s()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stopping.set()
        self._thread.join(_JOIN_S)
        status_file(self._home, self._service, self._slot).unlink(missing_ok=True)

    @property
    def is_alive(self) -> bool:
        """Whether the loop turns; a round may wait long for a broker, but not for ever."""
        return monotonic_s() - self._turned_s() < STUCK_S

    @property
    def is_ready(self) -> bool:
        """Whether the group was joined and all that is owned is live; owning nothing is fine."""
        return self.state == "live"

    @property
    def state(self) -> str:
        """`starting` until the group was joined and what came first is open; then `live`.

        `restoring` while more is opened, or any owned partition is behind its committed offset.
        """
        is_settled = self._assignment.is_settled  # before the stages: what came since is in them
        stages = [partition.stage for partition in self._owned()]
        if not is_settled:
            return "restoring" if stages else "starting"
        return "restoring" if Stage.RESTORING in stages else "live"

    def _owned(self) -> list[Partition]:
        return self._assignment.partitions

    def _run(self) -> None:
        told: set[type[Exception]] = set()
        while not self._stopping.wait(_INTERVAL_S):
            try:
                self._turn()
            except Exception as exc:
                if type(exc) not in told:  # a fault that stays would say so twice a second
                    told.add(type(exc))
                    name = type(exc).__name__
                    get_logger().warning(
                        "monitor skipped a turn", action="monitor", error=str(exc), kind=name
                    )

    def _turn(self) -> None:
        self._write_status()
        if monotonic_s() >= self._lag_due_s:
            self._lag_due_s = monotonic_s() + _LAG_INTERVAL_S
            self._measure_lag()

    def _write_status(self) -> None:
        partitions = self._owned()
        status = WorkerStatus(
            pid=os.getpid(),
            slot=self._slot,
            state=self.state,
            partitions=[str(partition.source) for partition in partitions],
            http=self.port,
            updated_us=now_us(),
            folded=self._assignment.folded,
            supervisor=os.getppid(),
        )
        write_status(self._home, self._service, status)

    def _measure_lag(self) -> None:
        positions = {one.source: one.position for one in self._owned()}
        if not positions:
            return
        admin = self._log.admin()
        try:
            ends = admin.ends(list(positions))
        finally:
            admin.close()
        for source, end in ends.items():
            gauge = metrics.LAG_RECORDS.labels(self._service, source.topic, str(source.partition))
            gauge.set(max(0, end - positions[source]))
