"""One input partition of a service: its folds, their one offset, and their one store.

    RESTORING ──(position reaches the committed offset)──▶ LIVE ──▶ CLOSED
        ▲                                                   │
        └────────────(a handler raised: reopen)─────────────┘

While RESTORING, records fold silently: no outputs, no commit, checkpoints only.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum

from streams.avro.codec import Codec
from streams.engine.admission import Admission
from streams.engine.decisions import Decision, DecisionKind, PartitionDecisions
from streams.engine.fold_partition import FoldPartition, HandlerRaised, Selection
from streams.engine.inflight import Inflight, Unmarked
from streams.engine.progress import Progress
from streams.engine.quarantine import MAX_DETAIL
from streams.engine.trial import find_killer
from streams.errors import HandlerFailing
from streams.fold.service import Service
from streams.ports.records import Batch, Committed, Outgoing, TopicPartition
from streams.ports.store import Store
from streams.state.checkpoint import CheckpointMeta, write_checkpoint


class Stage(Enum):
    """Where a partition is in its life."""

    RESTORING = "restoring"
    LIVE = "live"
    CLOSED = "closed"


_NEXT = {
    Stage.RESTORING: {Stage.LIVE, Stage.RESTORING, Stage.CLOSED},
    Stage.LIVE: {Stage.RESTORING, Stage.CLOSED},
    Stage.CLOSED: {Stage.CLOSED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An assigned partition with its store: `start` is the offset of the store's checkpoint."""

    source: TopicPartition
    store: Store
    inflight: Inflight
    start: int
    committed: int
    progress: Progress
    decisions: PartitionDecisions


class Partition:
    """Folds batches and says what to publish. Owned by the worker's thread.

    `folded` counts the records that were folded live and committed.
    """

    def __init__(self, opened: Opened, service: Service, codec: Codec) -> None:
        self.source = opened.source
        self.stage = Stage.RESTORING
        self.position = opened.start
        self.committed_offset = opened.committed
        self.progress = opened.progress
        self.folded = 0
        self._open_records = 0
        self._service = service
        self._store = opened.store
        self._decisions = opened.decisions
        self._inflight = opened.inflight
        self._suspect = opened.inflight.left_behind()
        self._checkpoint_offset = opened.start
        self._folded = opened.start
        self._folds = [
            FoldPartition(
                fold,
                self.source.partition,
                opened.decisions.parked.setdefault(fold.name, {}),
            )
            for fold in service.folds_of(self.source.topic)
        ]
        self._admission = Admission(service, codec, opened.progress.topic_id, opened.decisions)
        self._advance(opened.start)

    @property
    def service(self) -> str:
        """The name of the service that folds it."""
        return self._service.name

    @property
    def entries(self) -> int:
        """States in memory."""
        return sum(len(fold.cache) for fold in self._folds)

    @property
    def unsaved(self) -> int:
        """States changed since the last checkpoint."""
        return sum(len(fold.cache.changed) for fold in self._folds)

    @property
    def waiting_outputs(self) -> int:
        """Facts and changed keys that wait for the next commit."""
        return sum(len(fold.changed) + len(fold.facts) for fold in self._folds)

    def take_counts(self) -> tuple[dict[str, int], list[str]]:
        """Events folded live by fold, and reasons of quarantine, since the last call."""
        events = {fold.fold.name: fold.folded for fold in self._folds if fold.folded}
        for fold in self._folds:
            fold.folded = 0
        return events, self._admission.take_reasons()

    def take(self, batch: Batch) -> int:
        """Fold the records at and above the position; returns how many that were.

        Raises HandlerRaised when a live record's handler fails: then call `park`.
        """
        offsets = batch.offsets
        first = bisect_left(offsets, self.position)
        if first == len(offsets):
            return 0
        live = bisect_left(offsets, self.committed_offset, first)
        if live > first:
            self._fold_tried(batch, first, live, is_silent=True)
        if live < len(offsets):
            self._fold_tried(batch, live, len(offsets), is_silent=False)
            self._open_records += len(offsets) - live
        return len(offsets) - first

    def reach_end(self, position: int) -> None:
        """Nothing stands below `position` that was not taken (transaction markers)."""
        if self.stage is not Stage.CLOSED and position > self.position:
            self._advance(position)

    def outputs(self) -> list[Outgoing]:
        """Everything to publish for the open interval: decisions, facts, results of changed keys.

        Raises HandlerRaised when a result fails: then call `park`.
        """
        if self.stage is not Stage.LIVE:
            return []
        source = ("source", f"{self.source}/{self._folded - 1}".encode())
        outputs = self._admission.owed(self._folded)
        for fold in self._folds:
            outputs += fold.facts
            outputs += fold.conclude(source)
        return outputs

    def next_position(self) -> tuple[Committed, Progress] | None:
        """What to commit for the open interval, None when nothing moved."""
        if self.stage is not Stage.LIVE or self.position <= self.committed_offset:
            return None
        progress = self.progress.next()
        return Committed(self.position, progress.text()), progress

    def committed(self, offset: int, progress: Progress) -> None:
        """The open interval is committed up to `offset`."""
        self.committed_offset = offset
        self.progress = progress
        self.folded += self._open_records
        self._open_records = 0
        self._admission.committed(offset)
        for fold in self._folds:
            fold.committed()

    def checkpoint(self, *, turn: bool = False) -> int:
        """Save the changed states with their offset; returns bytes written, 0 when nothing moved.

        Only right after a commit, or while restoring. `turn` also forgets untouched states.
        """
        if self.stage is Stage.LIVE and self.position != self.committed_offset:
            return 0
        written = 0
        if self.position != self._checkpoint_offset or self.unsaved:
            meta = CheckpointMeta(
                self.position,
                self.progress.generation,
                self.progress.versions,
                self.progress.topic_id,
            )
            written = write_checkpoint(self._store, meta, [fold.cache for fold in self._folds])
            self._checkpoint_offset = self.position
        if turn:
            for fold in self._folds:
                fold.cache.turn()
        return written

    def park(self, raised: HandlerRaised) -> Decision:
        """Skip a key from the failing event on; forget the open interval, go to the checkpoint.

        The next record to read is at `position`. The half-changed state goes with the cache.
        """
        is_result = raised.offset is None
        at = self.committed_offset if raised.offset is None else raised.offset
        if self.stage is not Stage.LIVE and at < self.committed_offset:
            raise HandlerFailing(
                f"{self.source}/{at}: {raised} while replaying an event that was folded before; "
                f"the fold's code changed without its version: bring the old code back, or raise "
                f"the version; then {self._service.way_back(self.source.topic)}"
            )
        decision = Decision(
            kind=DecisionKind.PARKED,
            raised_by="result" if is_result else "handler",
            up_to=self._folded - 1 if is_result else None,
            where=raised.where,
            results=self._results_of(raised.fold),
            topic=self.source.topic,
            topic_id=self.progress.topic_id,
            partition=self.source.partition,
            at=at,
            reason=raised.reason,
            detail=raised.detail[:MAX_DETAIL],
            fold=raised.fold,
            key=raised.key,
        )
        self._decisions.add(decision)
        self._admission.owe(decision)
        self._reopen()
        return decision

    def close(self) -> None:
        """Release the store; what was not saved is gone.

        A marker that stands here means that folding was broken off: it stays for the next owner.
        """
        self._become(Stage.CLOSED)
        for fold in self._folds:
            fold.cache.clear()
        self._inflight.close()
        self._store.close()

    def _fold_tried(self, batch: Batch, first: int, end: int, *, is_silent: bool) -> None:
        """Fold records; those in flight at an unclean end are tried in a child process first."""
        if self._suspect is None:
            self._fold(batch, first, end, is_silent=is_silent)
            return
        begin = bisect_left(batch.offsets, self._suspect.start, first, end)
        stop = bisect_left(batch.offsets, self._suspect.stop, first, end)
        if begin > first:
            self._fold(batch, first, begin, is_silent=is_silent)
        self._fold_carefully(batch, begin, stop, is_silent=is_silent)
        if batch.offsets[end - 1] >= self._suspect.stop - 1:
            self._suspect = None
        if stop < end:
            self._fold(batch, stop, end, is_silent=is_silent)

    def _fold_carefully(self, batch: Batch, first: int, end: int, *, is_silent: bool) -> None:
        def fold_one(at: int) -> None:
            self._fold(batch, at, at + 1, is_silent=is_silent)

        def fold_one_in_child(at: int) -> None:
            self._inflight = Unmarked()
            fold_one(at)

        at = first
        while at < end:
            killer = find_killer(fold_one_in_child, at, end)
            for index in range(at, end if killer is None else killer):
                fold_one(index)
            if killer is None:
                return
            self._admission.refuse(
                batch.record(killer),
                "kills the process",
                "the process that decoded and folded it ended",
                is_silent=is_silent,
            )
            fold_one(killer)
            at = killer + 1

    def _fold(self, batch: Batch, first: int, end: int, *, is_silent: bool) -> None:
        offsets = batch.offsets[first:end]
        self._inflight.begin(offsets[0], offsets[-1] + 1)
        selections = self._select(batch, first, end, is_silent=is_silent)
        for fold, selection in selections:
            if selection.events:
                fold.run(selection, is_silent=is_silent)
        self._inflight.done()
        self._folded = offsets[-1] + 1
        self._advance(self._folded)

    def _select(
        self, batch: Batch, first: int, end: int, *, is_silent: bool
    ) -> list[tuple[FoldPartition, Selection]]:
        """What each fold takes of [first, end), with a state for every key."""
        events = self._admission.decode(batch, first, end, is_silent=is_silent)
        offsets = batch.offsets[first:end]
        types = set(map(type, events))
        selections, fresh, has_strays = [], [], False
        for fold in self._folds:
            selection = fold.select(events, offsets, types)
            new = fold.new_keys(selection, self._store)
            if new and self._admission.find_strays(selection, new, batch, is_silent=is_silent):
                has_strays = True
            selections.append((fold, selection))
            fresh.append((fold, new))
        if has_strays:
            return self._select(batch, first, end, is_silent=is_silent)
        for fold, new in fresh:
            fold.cache.create(new)
        return selections

    def _advance(self, position: int) -> None:
        self.position = position
        if self.stage is Stage.RESTORING and position >= self.committed_offset:
            self._become(Stage.LIVE)

    def _results_of(self, fold: str) -> tuple[str, ...]:
        return next(one.fold.results for one in self._folds if one.fold.name == fold)

    def _reopen(self) -> None:
        for fold in self._folds:
            fold.cache.clear()
            fold.committed()
        self._open_records = 0
        self._inflight.done()
        self._become(Stage.RESTORING)
        self._folded = self._checkpoint_offset
        self._advance(self._checkpoint_offset)

    def _become(self, stage: Stage) -> None:
        if stage not in _NEXT[self.stage]:
            raise AssertionError(f"{self.source}: {self.stage} cannot become {stage}")
        self.stage = stage
