"""Reads the in-memory log outside any group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.clock import Deadline
from streams.errors import NotFound
from streams.ports.records import Record, TopicPartition
from streams.testing.broker import InMemoryBroker
from streams.testing.partition import PartitionLog


class InMemoryReader:
    """Implements the `LogReader` port; partition by partition, in order."""

    def __init__(self, broker: InMemoryBroker) -> None:
        self._broker = broker
        self._positions: dict[TopicPartition, int] = {}

    def read(
        self,
        starts: Mapping[TopicPartition, int],
        deadline: Deadline | None = None,  # noqa: ARG002 it never waits
    ) -> Iterator[Record]:
        """Committed records from each start (0 = the oldest still there) to the end."""
        self._positions = dict(starts)
        with self._broker.lock:
            ends = {partition: self._log(partition, starts).stable_end for partition in starts}
            found = {one: list(self._log(one, starts).records(starts[one])) for one in starts}
        for partition in sorted(starts):
            for record in found[partition]:
                self._positions[partition] = record.offset + 1
                yield record
            self._positions[partition] = ends[partition]

    def follow(
        self,
        starts: Mapping[TopicPartition, int],
        wait_s: float = 0.0,  # noqa: ARG002 it never waits
    ) -> Iterator[Record | None]:
        """Committed records from each start on, for ever; None when there is nothing now."""
        self._positions = dict(starts)
        while True:
            found = list(self.read(self._positions))
            yield from found
            if not found:
                yield None

    def position(self, partition: TopicPartition) -> int:
        """Where `read` or `follow` came to in a partition, past transaction markers."""
        return self._positions[partition]

    def close(self) -> None:
        """Nothing to release."""

    def _log(self, partition: TopicPartition, starts: Mapping[TopicPartition, int]) -> PartitionLog:
        log, start = self._broker.partition(partition), starts[partition]
        if start and not log.holds(start):
            raise NotFound(
                f"{partition}: found a log from {log.start} to {log.end}, wanted offset {start}"
            )
        return log
