"""One input partition of a service: its folds, their one offset, and their one store."""

from __future__ import annotations

import sys
from bisect import bisect_left
from dataclasses import dataclass

from streams.avro.codec import Codec
from streams.engine.admission import Admission
from streams.engine.attempts import Attempts
from streams.engine.course import Course
from streams.engine.decisions import Decision, DecisionKind, PartitionDecisions
from streams.engine.fold_partition import FoldPartition, HandlerRaised
from streams.engine.folding import Folding
from streams.engine.inflight import Inflight
from streams.engine.notices import tell
from streams.engine.originals import Originals
from streams.engine.progress import Progress
from streams.engine.quarantine import MAX_DETAIL
from streams.engine.readmission import Readmission
from streams.engine.stage import NEXT, Stage
from streams.errors import HandlerFailing
from streams.fold.service import Service
from streams.ports.records import Batch, Committed, Outgoing, TopicPartition
from streams.ports.store import Store
from streams.state.checkpoint import CheckpointMeta, write_checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An assigned partition with its store: `start` is the offset of the store's checkpoint.

    `readmitted` is the number of the last readmission that the checkpoint holds; `originals` reads
    skipped records again.
    """

    source: TopicPartition
    store: Store
    inflight: Inflight
    start: int
    readmitted: int
    committed: int
    progress: Progress
    decisions: PartitionDecisions
    originals: Originals


class Partition:
    """Folds batches and says what to publish. Owned by the worker's thread.

    `folded` counts the records that were folded live and committed. While it `is_held` it takes
    nothing; whoever releases it reads again from its `position`.
    """

    def __init__(self, opened: Opened, service: Service, codec: Codec) -> None:
        self.source = opened.source
        self.stage = Stage.RESTORING
        self.committed_offset = opened.committed
        self.progress = opened.progress
        self.folded = 0
        self._open_records = 0
        self._service = service
        self._store = opened.store
        self._decisions = opened.decisions
        self._inflight = opened.inflight
        self._checkpoint_offset = opened.start
        self._saved_number = opened.readmitted
        self.position = opened.start
        self._is_held = False
        self._folds = [
            FoldPartition(
                fold,
                self.source.partition,
                opened.decisions.parked.setdefault(fold.name, {}),
                log_id=opened.progress.topic_id if opened.decisions.is_begun_anew else "",
            )
            for fold in service.folds_of(self.source.topic)
        ]
        self._admission = Admission(service, codec, opened.progress.topic_id, opened.decisions)
        self._folding = Folding(
            self._folds, self._admission, opened.store, opened.inflight, start=opened.start
        )
        self._readmission = Readmission(
            self.source, opened.decisions, self._admission, self._folding, opened.originals
        )
        self._attempts = Attempts(
            opened.decisions,
            self.source,
            opened.progress.topic_id,
            [fold.fold.name for fold in self._folds],
        )
        self._begin_course()

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
        first = at = bisect_left(offsets, self.position)
        while at < len(offsets) and not self.is_held:
            self._reach(offsets[at])
            if self.is_held:
                break
            end = bisect_left(offsets, self._bound(offsets[at]), at)
            is_silent = self._is_silent(offsets[at])
            since = self._course.catching_up(offsets[at])
            with self._attempts.guarded():
                self._folding.run(batch, at, end, is_silent=is_silent, since=since)
            self._attempts.check_size(self.waiting_outputs)
            if offsets[at] >= self.committed_offset:
                self._open_records += end - at
            at = end
            self._folded = offsets[at - 1] + 1
            self._reach(self._folded)
        return at - first

    def reach_end(self, position: int) -> None:
        """Nothing stands below `position` that was not taken (transaction markers).

        Raises HandlerRaised as `take` does.
        """
        if self.stage is not Stage.CLOSED and position >= self.position and not self.is_held:
            self._reach(position)

    def outputs(self) -> list[Outgoing]:
        """Everything to publish for the open interval: decisions, facts, results of changed keys.

        Raises HandlerRaised when a result fails: then call `park`.
        """
        if self.stage is not Stage.LIVE:
            return []
        source = ("source", f"{self.source}/{self._folded - 1}".encode())
        outputs = self._admission.owed(self._folded)
        if self._attempts.open is not None:
            answers = self._attempts.open.answers
            outputs += [one.outgoing(self._service.decisions) for one in answers]
        for fold in self._folds:
            outputs += fold.facts
            outputs += fold.conclude(source)
        return outputs

    def next_position(self) -> tuple[Committed, Progress] | None:
        """What to commit for the open interval, None when nothing moved."""
        has_news = self.position > self.committed_offset or self.is_trying
        if self.stage is not Stage.LIVE or not has_news:
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
        for answer in self._attempts.conclude():
            tell(self.service, answer)

    def checkpoint(self, *, turn: bool = False) -> int:
        """Save the changed states with their offset; returns bytes written, 0 when nothing moved.

        Only right after a commit, or while restoring, and not while keys catch up. `turn` also
        forgets untouched states.
        """
        if self.stage is Stage.LIVE and self.position != self.committed_offset:
            return 0
        if self.is_trying or self._course.is_out_of_place(self.position):
            return 0
        written, number = 0, self._decisions.last_number
        if self.position != self._checkpoint_offset or number != self._saved_number or self.unsaved:
            meta = CheckpointMeta(
                self.position,
                self.progress.generation,
                self.progress.versions,
                self.progress.topic_id,
                number,
            )
            written = write_checkpoint(self._store, meta, [fold.cache for fold in self._folds])
            self._checkpoint_offset = self.position
            self._saved_number = number
        if turn:
            for fold in self._folds:
                fold.cache.turn()
        return written

    @property
    def is_asked(self) -> bool:
        """Whether something is asked for that can be tried now, right after a commit."""
        return (
            self.stage is Stage.LIVE
            and self.position == self.committed_offset
            and self._attempts.are_due(self.position)
        )

    @property
    def is_trying(self) -> bool:
        """Whether something is tried again and not answered yet."""
        return self._attempts.open is not None

    @property
    def is_held(self) -> bool:
        """Whether what was tried waits for its commit, or `release` after it: nothing is folded."""
        return self._is_held

    def ask(self, decision: Decision) -> None:
        """Somebody asks to fold something that is skipped."""
        self._decisions.add(decision)

    def try_again(self, log_start: int) -> None:
        """Begin to fold what is asked for, right after a commit; the log begins at `log_start`.

        The next record to read is at `position`.
        """
        self.checkpoint()
        self._attempts.begin(self.position, log_start)
        self._reopen()

    def release(self) -> None:
        """Go on after a commit of the answers, with a checkpoint; or without one, as before.

        If they are not committed, all that was tried is as it was, and still asked for. The next
        record to read is at `position`.
        """
        if self.is_trying:
            self._attempts.not_committed()
            self._reopen()
        self.checkpoint()
        self._is_held = False

    def park(self, raised: HandlerRaised) -> Decision:
        """Skip a key from the failing event on; forget the open interval, go to the checkpoint.

        The next record to read is at `position`. The half-changed state goes with the cache.
        """
        failed = self._readmission.failed(raised) if self.stage is Stage.LIVE else None
        decision = failed or self._parked(raised)
        self._reopen()
        return decision

    def fail(self, raised: HandlerRaised) -> None:
        """What raised when it was tried again is skipped as before; the rest is tried anew.

        The next record to read is at `position`.
        """
        self._attempts.fail(raised)
        self._reopen()

    def close(self) -> None:
        """Release the store; what was not saved is gone.

        A marker that stands here means that folding was broken off: it stays for the next owner.
        """
        self._become(Stage.CLOSED)
        for fold in self._folds:
            fold.cache.clear()
        self._inflight.close()
        self._store.close()

    def _reach(self, position: int) -> None:
        """Everything below `position` is folded, but for what is due on the way there."""
        if self.stage is Stage.RESTORING:
            self._fold_late(min(position, self.committed_offset))
            if position >= self.committed_offset:
                self._become(Stage.LIVE)
                if self.is_trying:
                    self.position = self._folded = self.committed_offset
                    self.outputs()  # what a result raises must fail here, and not with the commit
                    self._is_held = True
                    return
        self._fold_late(position)
        self.position = position

    def _fold_late(self, position: int) -> None:
        while late := self._course.take_late(position):
            is_silent = self._is_silent(late[0].due - 1)
            since = self._course.since
            with self._attempts.guarded():
                self._readmission.fold(late, since, self._attempts.open, is_silent=is_silent)
            self._attempts.check_size(self.waiting_outputs)

    def _parked(self, raised: HandlerRaised) -> Decision:
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
        return decision

    def _results_of(self, fold: str) -> tuple[str, ...]:
        return next(one.fold.results for one in self._folds if one.fold.name == fold)

    def _is_silent(self, offset: int) -> bool:
        """Whether what stands at an offset was published before; what is tried again was not."""
        return offset < self.committed_offset and not self.is_trying

    def _bound(self, offset: int) -> int:
        """Where a run of records that begins at an offset has to end."""
        bound = self._course.bound(offset)
        if offset < self.committed_offset and (bound is None or self.committed_offset < bound):
            return self.committed_offset
        return sys.maxsize if bound is None else bound

    def _reopen(self) -> None:
        for fold in self._folds:
            fold.cache.clear()
            fold.committed()
        self._open_records = 0
        self._inflight.done()
        self._become(Stage.RESTORING)
        self._begin_course()

    def _begin_course(self) -> None:
        """Go to the checkpoint, or before it where keys have to catch up."""
        self._course = Course(self._decisions, self._checkpoint_offset, self._saved_number)
        self.position = self._course.start
        self._folded = self._checkpoint_offset
        if not self.is_trying and not self._course.is_due(self.position):
            self._reach(self.position)

    def _become(self, stage: Stage) -> None:
        if stage not in NEXT[self.stage]:
            raise AssertionError(f"{self.source}: {self.stage} cannot become {stage}")
        self.stage = stage
