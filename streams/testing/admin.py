"""Questions about the topics and groups of the in-memory log."""

from __future__ import annotations

from collections.abc import Collection

from streams.clock import Deadline
from streams.ports.log import TopicInfo
from streams.ports.records import Committed, TopicPartition
from streams.testing.broker import InMemoryBroker


class InMemoryAdmin:
    """Implements the `LogAdmin` port."""

    def __init__(self, broker: InMemoryBroker) -> None:
        self._broker = broker

    def topics(self, names: Collection[str]) -> dict[str, TopicInfo]:
        """The named topics that exist."""
        with self._broker.lock:
            known = self._broker.topics
            return {name: known[name] for name in names if name in known}

    def starts(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset still in each log."""
        with self._broker.lock:
            return {one: self._broker.partition(one).start for one in partitions}

    def ends(
        self, partitions: Collection[TopicPartition], *, committed: bool = True
    ) -> dict[TopicPartition, int]:
        """The end of each log: past the last committed record (and markers), or past any record."""
        with self._broker.lock:
            logs = {one: self._broker.partition(one) for one in partitions}
            return {one: log.stable_end if committed else log.end for one, log in logs.items()}

    def group_positions(
        self,
        group: str,
        partitions: Collection[TopicPartition],
        deadline: Deadline | None = None,  # noqa: ARG002 it never waits
    ) -> dict[TopicPartition, Committed | None]:
        """Committed positions; BrokerUnavailable at once while a transaction holds one open."""
        return self._broker.stable_positions(group, partitions)

    def close(self) -> None:
        """Nothing to release."""
