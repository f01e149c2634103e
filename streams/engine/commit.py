"""Makes the open intervals of all partitions durable, in one transaction.

1. Gather: results of changed keys, facts, decisions, and the new positions.
2. Recycle the producer when it is suspicious.
3. Begin, produce, send positions, commit (the producer's one call).
4. On success the partitions are told. On failure the producer is dropped, and what is committed
   decides: the whole interval happened, or none of it did and it simply stays open. Nothing that
   was gathered is lost, because outputs are made from state at each attempt.

A commit with a deadline (the last one, or one inside a revocation) does not wait for a broker
beyond it: then the process has to end, and its successor reads what became of the transaction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from streams.clock import Deadline, Drain, monotonic_s
from streams.engine.fold_partition import HandlerRaised
from streams.engine.instruments import Instruments
from streams.engine.membership import Membership
from streams.engine.partition import Partition
from streams.engine.progress import Progress
from streams.errors import BrokerUnavailable, Fenced, TransactionFailed
from streams.logs import get_logger
from streams.ports.log import TransactionalProducer
from streams.ports.records import Committed, Outgoing, TopicPartition

MAX_FAILURES = 5
"""Transactions in a row that may fail while the broker answers; then the process starts anew."""

OpenProducer = Callable[[Deadline], TransactionalProducer]

ReadPositions = Callable[
    [Collection[TopicPartition], Deadline], Mapping[TopicPartition, Committed | None]
]
"""The group's stable positions, read from outside: the broker tells a member nothing from the
moment it has expelled it until that member has heard so, which takes a poll."""

_OPEN_SLICE_S = 5.0
_READ_SLICE_S = 6.0


@dataclass(frozen=True, slots=True)
class Interval:
    """What one transaction carries."""

    outputs: list[Outgoing]
    positions: dict[TopicPartition, Committed]
    progress: dict[TopicPartition, Progress]
    raised: list[tuple[Partition, HandlerRaised]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a commit.

    `happened` False: the interval stays open. Partitions in `raised` had a result that raised, and
    were left out; park those that stay.
    """

    happened: bool
    raised: list[tuple[Partition, HandlerRaised]]


class Committer:
    """One transactional producer and what goes through it. Owned by the worker's thread.

    `drain` bounds every wait once it has begun. A broker aborts what was open longer than
    `transaction_timeout_s`, and fences its producer: that is no sign of a rival.
    """

    def __init__(
        self,
        open_producer: OpenProducer,
        read_positions: ReadPositions,
        *,
        membership: Membership,
        instruments: Instruments,
        drain: Drain,
        transaction_timeout_s: float,
    ) -> None:
        self._open = open_producer
        self._read_positions = read_positions
        self._membership = membership
        self._instruments = instruments
        self._drain = drain
        self._timeout_s = transaction_timeout_s
        self._producer: TransactionalProducer | None = None
        self._failures = 0
        self._fencings = 0
        self._log = get_logger()

    def start(self) -> None:
        """Open the producer: what a dead predecessor left open is aborted; twice is fine."""
        if self._producer is None:
            self._recycle(self._no_limit())

    def commit(
        self, partitions: Collection[Partition], deadline: Deadline | None = None
    ) -> Outcome:
        """Commit everything open.

        Raises TransactionFailed after too many failures in a row, or when the time is over before
        it is known what became of it; Fenced when another process keeps taking this worker's
        transactional id.
        """
        interval = self._gather(partitions)
        if not interval.positions:
            return Outcome(happened=True, raised=interval.raised)
        started_s = monotonic_s()
        try:
            happened = self._happened(interval, deadline or self._no_limit())
        except BrokerUnavailable as exc:
            self.close()
            raise TransactionFailed(
                "no broker answered in the time there was for a last commit; this process ends, "
                f"and the next one goes on from what is committed: {exc}"
            ) from exc
        if happened:
            self._instruments.committed(monotonic_s() - started_s)
            for partition in partitions:
                if partition.source in interval.positions:
                    offset = interval.positions[partition.source].offset
                    partition.committed(offset, interval.progress[partition.source])
        return Outcome(happened, interval.raised)

    def close(self) -> None:
        """Drop the producer; an open transaction would be aborted by its successor."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.discard()

    def _no_limit(self) -> Deadline:
        return Deadline(math.inf, self._drain)

    def _happened(self, interval: Interval, deadline: Deadline) -> bool:
        """Whether the interval is committed; BrokerUnavailable when that cannot be told in time."""
        if self._producer is None or self._producer.is_suspicious:
            self._recycle(deadline)
        started_s = monotonic_s()
        try:
            self._send(interval, deadline)
        except TransactionFailed as exc:
            return self._resolve(interval, exc, deadline)
        except Fenced as exc:
            if monotonic_s() - started_s < self._timeout_s:
                self._count_fencing(exc)
            return self._resolve(interval, exc, deadline)
        self._failures = 0
        self._fencings = 0
        return True

    def _gather(self, partitions: Collection[Partition]) -> Interval:
        interval = Interval([], {}, {}, [])
        for partition in partitions:
            moved = partition.next_position()
            if moved is None:
                continue
            try:
                outputs = partition.outputs()
            except HandlerRaised as raised:
                interval.raised.append((partition, raised))
                continue
            interval.outputs.extend(outputs)
            interval.positions[partition.source], interval.progress[partition.source] = moved
        return interval

    def _send(self, interval: Interval, deadline: Deadline) -> None:
        if self._producer is None:
            raise TransactionFailed("no producer")
        member = self._membership.member()
        self._producer.commit(interval.outputs, interval.positions, member, deadline)

    def _resolve(
        self, interval: Interval, failure: TransactionFailed | Fenced, deadline: Deadline
    ) -> bool:
        """Whether the interval was committed after all; the producer is a new one afterwards."""
        self._failures += 1
        self._instruments.transaction_failed()
        self._log.warning("transaction failed", action="transaction-failed", error=str(failure))
        if self._failures > MAX_FAILURES:
            raise TransactionFailed(f"{self._failures} transactions failed in a row") from failure
        self._recycle(deadline)
        committed = self._committed(interval.positions, deadline)
        outcomes = {
            _is_committed(committed[source], position, interval.progress[source])
            for source, position in interval.positions.items()
        }
        if len(outcomes) != 1 or None in outcomes:
            raise TransactionFailed(
                "committed offsets are neither those of this worker's last transaction nor of the "
                "one before; another worker owns its partitions"
            ) from failure
        return outcomes == {True}

    def _committed(
        self, partitions: Collection[TopicPartition], deadline: Deadline
    ) -> Mapping[TopicPartition, Committed | None]:
        """What the group has; waits for the broker as long as the worker may live."""
        while True:
            try:
                return self._read_positions(partitions, deadline.at_most(_READ_SLICE_S))
            except BrokerUnavailable as exc:
                self._wait_on(exc, deadline)

    def _recycle(self, deadline: Deadline) -> None:
        """A new producer with the same id; waits for the broker as long as the worker may live."""
        self.close()
        while True:
            try:
                self._producer = self._open(deadline.at_most(_OPEN_SLICE_S))
            except BrokerUnavailable as exc:
                self._wait_on(exc, deadline)
            else:
                return

    def _wait_on(self, exc: BrokerUnavailable, deadline: Deadline) -> None:
        """Return to ask again; raises when there is no more time, or the worker is to stop."""
        self._log.warning("waiting for Kafka", action="waiting", error=str(exc))
        if self._drain.is_begun or deadline.is_over:
            raise exc

    def _count_fencing(self, exc: Fenced) -> None:
        self._fencings += 1
        if self._fencings > 1:
            raise Fenced(
                f"{exc}; another process has this state folder's id: give each host its own "
                "STREAMS_HOME"
            ) from exc


def _is_committed(found: Committed | None, wanted: Committed, progress: Progress) -> bool | None:
    """Whether `found` is our transaction (True), the one before (False), or neither (None)."""
    if found is None:
        return None
    if found == wanted:
        return True
    before = f'"count":{progress.count - 1}}}'
    return (
        False if found.metadata.endswith(before) and progress.generation in found.metadata else None
    )
