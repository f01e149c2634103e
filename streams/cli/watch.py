"""What `streams run --until-caught-up` looks at: how far the workers are, and what they skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.clock import now_us
from streams.errors import BrokerUnavailable, StreamsError, WorkerStopped

if TYPE_CHECKING:
    from streams.clock import Deadline
    from streams.engine.coverage import Coverage
    from streams.engine.skipped import Skipped
    from streams.fold.service import Service
    from streams.ports.log import Log
    from streams.ports.records import TopicPartition
    from streams.views.latest import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class CaughtUp:
    """The end of a run: records folded in it, and what the service skips, in all and new."""

    service: str
    folded: int
    parked: int
    parked_new: int
    quarantined: int
    quarantined_new: int


class Watch:
    """Looks whether a service has caught up, and reports how far it is since the first look."""

    def __init__(
        self,
        service: Service,
        log: Log,
        coverage: Coverage,
        report: Progress,
        *,
        deadline: Deadline | None = None,
    ) -> None:
        self._service = service
        self._log = log
        self._admin = log.admin()
        self._coverage = coverage
        self._report = report
        self._deadline = deadline
        self._first: int | None = None
        self._before: Skipped | None = None
        self._partitions: list[TopicPartition] = []
        self._since_us: int | None = None
        self._has_requests = False
        self.is_caught_up = False

    def is_done(self) -> bool:
        """Whether every partition was opened, all that is there folded, and all requests answered.

        No while Kafka does not answer. Over the deadline BrokerUnavailable, or StreamsError if
        Kafka answers.
        """
        left = None
        try:
            left = self._look()
        except WorkerStopped:
            raise
        except StreamsError:  # not reachable at this moment; the workers say so themselves
            self._since_us = None
        if not self.is_caught_up:
            self._check_deadline(left)
        return self.is_caught_up

    def result(self) -> CaughtUp:
        """What to tell at the end of a run that has caught up."""
        found, before = self._skipped(), self._before
        return CaughtUp(
            service=self._service.name,
            folded=self._coverage.folded,
            parked=len(found.parked),
            parked_new=max(0, len(found.parked) - (len(before.parked) if before else 0)),
            quarantined=len(found.quarantined),
            quarantined_new=max(
                0, len(found.quarantined) - (len(before.quarantined) if before else 0)
            ),
        )

    def _look(self) -> int:
        """Records that are left; notes since when there are none."""
        from streams.engine.caught_up import input_partitions, standing

        found = standing(self._service, self._admin)
        if self._first is None:
            self._before = self._skipped()
            self._partitions = input_partitions(self._service, self._admin)
            self._first = found.passed
        folded = found.passed - self._first
        self._report(folded, folded + found.left)
        if not found.is_caught_up:
            self._since_us = None
            return found.left
        if self._since_us is None:
            self._since_us = now_us()
        if self._coverage.is_complete(self._partitions, self._since_us):
            asked = self._skipped().asked
            self._has_requests = any(one.source in self._partitions for one in asked)
            self.is_caught_up = not self._has_requests
        return 0

    def _check_deadline(self, left: int | None) -> None:
        if self._deadline is None or not self._deadline.is_over:
            return
        name = self._service.name
        if left is None:
            raise BrokerUnavailable(f"{name}: Kafka did not answer before --timeout was over")
        why = f"{left:,} records are left" if left else "not all of its partitions are open"
        if self._has_requests:
            why = "not all that was asked for is answered"
        raise StreamsError(f"{name}: not caught up before --timeout was over: {why}")

    def _skipped(self) -> Skipped:
        from streams.engine.skipped import find_skipped

        reader = self._log.reader()
        try:
            return find_skipped(self._service.name, self._admin, reader)
        finally:
            reader.close()


def summary(found: CaughtUp) -> str:
    """One line for people."""
    parts = [f"caught up: {_counted(found.folded, 'record')} folded"]
    if found.parked:
        keys = f"{_counted(found.parked, 'key')} parked ({found.parked_new:,} new)"
        parts.append(f"{keys}: streams parked list {found.service}")
    if found.quarantined:
        records = _counted(found.quarantined, "record")
        parts.append(
            f"{records} in quarantine ({found.quarantined_new:,} new): "
            f"streams quarantine list {found.service}"
        )
    return "; ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
