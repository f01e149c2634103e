"""What people ask a worker to fold after all, brought to the partitions it is about."""

from __future__ import annotations

from streams.engine.assignment import Assignment
from streams.engine.decision_log import DecisionLog
from streams.engine.partition import Partition
from streams.errors import BrokerUnavailable
from streams.logs import get_logger
from streams.ports.log import LogAdmin


class Requests:
    """Owned by the worker's thread. Whoever owns a partition answers, all others pass over it."""

    def __init__(self, decisions: DecisionLog, assignment: Assignment, admin: LogAdmin) -> None:
        self._decisions = decisions
        self._assignment = assignment
        self._admin = admin

    def hear(self) -> None:
        """Take in what was asked since the last time."""
        for decision in self._decisions.asked():
            partition = self._assignment.owned.get(decision.source)
            if partition is not None and partition.progress.topic_id == decision.topic_id:
                partition.ask(decision)

    def begin(self) -> list[Partition]:
        """Right after a commit: the partitions that begin to try, each at its `position`."""
        begun = []
        for partition in self._assignment.partitions:
            if not partition.is_asked:
                continue
            try:
                log_start = self._admin.starts([partition.source])[partition.source]
            except BrokerUnavailable as exc:
                get_logger().warning("waiting for Kafka", action="waiting", error=str(exc))
                break
            partition.try_again(log_start)
            begun.append(partition)
        return begun
