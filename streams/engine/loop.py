"""The worker's loop: poll, fold, commit, checkpoint.

1. Poll; rebalances happen inside.
2. Fold each batch of an owned partition; a handler that raises parks its key.
3. When the commit interval is over: settle a stale membership, commit.
   After it, while a round of checkpoints is open: checkpoint a few partitions.
4. When changes fill half the cache: checkpoint all of them.
"""

from __future__ import annotations

import gc
from collections import deque

from streams.clock import Drain, monotonic_s
from streams.engine.assignment import Assignment
from streams.engine.checkpoints import Checkpoints
from streams.engine.commit import Committer
from streams.engine.fold_partition import HandlerRaised
from streams.engine.instruments import Instruments
from streams.engine.membership import Membership
from streams.engine.notices import tell
from streams.engine.partition import Partition
from streams.engine.requests import Requests
from streams.engine.stage import Stage
from streams.errors import HandlerFailing, PositionGone, TopicGone
from streams.ports.log import Consumer
from streams.ports.records import Polled
from streams.settings import WorkerSettings

MAX_PARKS_A_MINUTE = 100
"""More failing keys than this is a broken handler, not broken events."""

_DRAIN_RECORDS = 1_000_000
_IDLE_POLL_S = 0.1
_COLLECT_INTERVAL_S = 30.0


class Loop:
    """One worker's work, until it is told to end. Owned by the worker's thread.

    `turned_s` is when the newest round began, for the probe of a stuck worker.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        consumer: Consumer,
        *,
        assignment: Assignment,
        committer: Committer,
        membership: Membership,
        requests: Requests,
        instruments: Instruments,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._assignment = assignment
        self._requests = requests
        self._committer = committer
        self._membership = membership
        self._instruments = instruments
        self.turned_s = monotonic_s()
        self._commit_due_s = monotonic_s() + settings.commit_interval_s
        self._checkpoints = Checkpoints(settings, assignment, instruments)
        self._collect_due_s = monotonic_s() + _COLLECT_INTERVAL_S
        self._parks: deque[float] = deque(maxlen=MAX_PARKS_A_MINUTE)

    def run(self, drain: Drain) -> None:
        """Work until `drain` begins, then commit and checkpoint once more."""
        while not drain.is_begun:
            self.turn()
        self._finish()

    def turn(self) -> None:
        """One round of the loop."""
        self.turned_s = monotonic_s()
        wait_s = min(_IDLE_POLL_S, max(0.0, self._commit_due_s - monotonic_s()))
        polled = self._poll(self._settings.poll_records, wait_s)
        self._take(polled)
        now_s = monotonic_s()
        if now_s >= self._commit_due_s or self._is_full() or self._checkpoints.is_due:
            self.commit()
            self._checkpoints.save_some()
            self._commit_due_s = monotonic_s() + self._settings.commit_interval_s
        if self._checkpoints.are_pressing:
            self.checkpoint()
        if not polled.batches and now_s >= self._collect_due_s and not gc.isenabled():
            gc.collect()
            self._collect_due_s = monotonic_s() + _COLLECT_INTERVAL_S

    def commit(self) -> bool:
        """Commit what is open, with a membership that is up to date; then try what is asked for."""
        is_committed = self._commit()
        if is_committed:
            self._try_again()
        return is_committed

    def checkpoint(self) -> None:
        """Save what changed now, and forget untouched states when the cache is full."""
        if any(partition.stage is Stage.LIVE for partition in self._assignment.partitions):
            self.commit()
        self._checkpoints.save_all()

    def park(self, partition: Partition, raised: HandlerRaised) -> None:
        """Park the key of a handler that raised; read its partition again from the checkpoint.

        What raised when it was tried again is told with the other answers, when they are committed.
        """
        if partition.is_trying:
            partition.fail(raised)
        else:
            self._count_park(partition, raised)
            self._instruments.parked(raised.fold)
            tell(partition.service, partition.park(raised))
        self._consumer.seek(partition.source, partition.position)

    def _commit(self) -> bool:
        if self._membership.is_stale and not self._settled():
            return False
        for partition in self._assignment.partitions:
            self._instruments.counted(*partition.take_counts())
        outcome = self._committer.commit(self._assignment.partitions)
        for partition, raised in outcome.raised:
            self.park(partition, raised)
        for partition in self._assignment.partitions:
            if partition.is_held:
                partition.release()
                self._consumer.seek(partition.source, partition.position)
        return outcome.happened

    def _take(self, polled: Polled) -> None:
        owned = self._assignment.owned
        again = set()
        for batch in polled.batches:
            partition = owned.get(batch.source)
            if partition is None or batch.source in again:
                continue
            is_restoring = partition.stage is Stage.RESTORING
            try:
                taken = partition.take(batch)
            except HandlerRaised as raised:
                self.park(partition, raised)
                again.add(batch.source)
                continue
            self._instruments.read(batch.source.topic, taken)
            if is_restoring:
                self._instruments.restored(taken)
        for source, position in polled.ends.items():
            if source in owned and source not in again:
                self._reach_end(owned[source], position)
        for partition in self._assignment.partitions:
            if partition.stage is Stage.RESTORING:
                self._reach_end(partition, partition.position)

    def _reach_end(self, partition: Partition, position: int) -> None:
        try:
            partition.reach_end(position)
        except HandlerRaised as raised:
            self.park(partition, raised)

    def _try_again(self) -> None:
        """Right after a commit: begin what people ask for. It is answered by a later commit."""
        self._requests.hear()
        for partition in self._requests.begin():
            self._consumer.seek(partition.source, partition.position)

    def _poll(self, max_records: int, wait_s: float) -> Polled:
        try:
            return self._consumer.poll(max_records, wait_s)
        except (PositionGone, TopicGone) as exc:
            raise self._assignment.stopped_by(exc) from exc

    def _settled(self) -> bool:
        """Whether the membership is up to date after every queued callback has run."""
        self._membership.propose()
        polled = self._poll(_DRAIN_RECORDS, 0.0)
        self._take(polled)
        if sum(len(batch.offsets) for batch in polled.batches) >= _DRAIN_RECORDS:
            return False
        self._membership.settle()
        return True

    def _is_full(self) -> bool:
        limit = self._settings.commit_max_outputs
        partitions = self._assignment.partitions
        return sum(one.waiting_outputs for one in partitions if not one.is_trying) >= limit

    def _count_park(self, partition: Partition, raised: HandlerRaised) -> None:
        now_s = monotonic_s()
        if len(self._parks) == MAX_PARKS_A_MINUTE and now_s - self._parks[0] < 60:
            raise HandlerFailing(
                f"{partition.source}: the fold {raised.fold} raised for over {MAX_PARKS_A_MINUTE} "
                f"keys in a minute, now {raised}; mend the handler, then start the worker again"
            )
        self._parks.append(now_s)

    def _finish(self) -> None:
        self._commit()
        for partition in self._assignment.partitions:
            partition.checkpoint()


class CollectorOff:
    """Python's cyclic collector off while folding: it would walk all state again and again."""

    def __init__(self) -> None:
        self._was_on = gc.isenabled()

    def __enter__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.disable()

    def __exit__(self, *_raised: object) -> None:
        gc.unfreeze()
        if self._was_on:
            gc.enable()
