"""Reads the in-memory log outside any group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.clock import Deadline
from streams.errors import NotFound
from streams.ports.records import Record, TopicPartition
from streams.testing.broker import InMemoryBroker


class InMemoryReader:
    """Implements the `LogReader` port; partition by partition, in order."""

    def __init__(self, broker: InMemoryBroker) -> None:
        self._broker = broker

    def read(
        self,
        starts: Mapping[TopicPartition, int],
        deadline: Deadline | None = None,  # noqa: ARG002 it never waits
    ) -> Iterator[Record]:
        """Committed records from each start (0 = the oldest still there) to the end."""
        with self._broker.lock:
            found = [
                record
                for partition, start in sorted(starts.items())
                for record in self._from(partition, start)
            ]
        return iter(found)

    def close(self) -> None:
        """Nothing to release."""

    def _from(self, partition: TopicPartition, start: int) -> Iterator[Record]:
        log = self._broker.partition(partition)
        if start and not log.holds(start):
            raise NotFound(
                f"{partition}: found a log from {log.start} to {log.end}, wanted offset {start}"
            )
        return log.records(start)
