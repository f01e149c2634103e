"""Runs the records of one partition through its folds, and marks what is in flight."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from streams.engine.admission import Admission
from streams.engine.course import Late
from streams.engine.fold_partition import FoldPartition, HandlerRaised, Selection
from streams.engine.inflight import Inflight, Unmarked
from streams.engine.trial import find_killer
from streams.errors import StreamsError, Undecodable
from streams.events.message import Message
from streams.ports.records import Batch, Record
from streams.ports.store import Store
from streams.topics.keys import Key

Since = Mapping[str, Mapping[Key, int]]
"""By fold and key, since which offset it catches up."""

KILLS = "kills the process"
_KILLED = "the process that decoded and folded it ended"


class ProcessKilled(StreamsError):
    """An event of a parked key ended the child in which it was tried."""


class Folding:
    """Owned by the worker's thread.

    What may have killed the last owner is tried in a child process first: the records at and above
    `start` that it left marked; below it (it was trying something again) all that is tried again.
    """

    def __init__(
        self,
        folds: Sequence[FoldPartition],
        admission: Admission,
        store: Store,
        inflight: Inflight,
        *,
        start: int,
    ) -> None:
        self._folds = folds
        self._admission = admission
        self._store = store
        self._inflight = inflight
        self._left_behind = self._suspect = inflight.left_behind()
        if self._suspect is not None and self._suspect.stop <= start:
            self._suspect = None

    def run(
        self, batch: Batch, first: int, end: int, *, is_silent: bool, since: Since | None
    ) -> None:
        """Fold the records in [first, end); with `since` only for the keys that catch up."""
        suspect = self._suspect
        if since is not None:
            suspect = range(batch.offsets[end - 1] + 1) if self._left_behind else None
        if suspect is None:
            self._fold(batch, first, end, is_silent=is_silent, since=since)
            return
        begin = bisect_left(batch.offsets, suspect.start, first, end)
        stop = bisect_left(batch.offsets, suspect.stop, first, end)
        if begin > first:
            self._fold(batch, first, begin, is_silent=is_silent, since=since)
        self._fold_carefully(batch, begin, stop, is_silent=is_silent, since=since)
        if self._suspect is not None and batch.offsets[end - 1] >= self._suspect.stop - 1:
            self._suspect = None
        if stop < end:
            self._fold(batch, stop, end, is_silent=is_silent, since=since)

    def run_late(
        self, late: Late, record: Record, *, is_silent: bool, since: Since
    ) -> list[tuple[str, Key]]:
        """Fold a redriven record; returns the states it met. Undecodable when it still is.

        One that the checkpoint holds is for the keys that catch up only.
        """
        met: list[tuple[str, Key]] = []

        def fold(_at: int) -> None:
            event = self._admission.readmitted(record)
            if event is not None:
                met.extend(self._fold_late(late, event, record, is_silent=is_silent, since=since))

        def fold_in_child(at: int) -> None:
            self._inflight = Unmarked()
            fold(at)

        if self._left_behind is not None and find_killer(fold_in_child, 0, 1) is not None:
            raise Undecodable(KILLS, _KILLED)
        self._inflight.begin(late.original, late.original + 1)
        try:
            fold(0)
        except Undecodable:
            self._inflight.done()
            raise
        self._inflight.done()
        return met

    def _fold_carefully(
        self, batch: Batch, first: int, end: int, *, is_silent: bool, since: Since | None
    ) -> None:
        def fold_one(at: int) -> None:
            self._fold(batch, at, at + 1, is_silent=is_silent, since=since)

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
            if since is not None:
                raise self._killed(batch, killer, since)
            self._admission.refuse(batch.record(killer), KILLS, _KILLED, is_silent=is_silent)
            fold_one(killer)
            at = killer + 1

    def _killed(self, batch: Batch, at: int, since: Since) -> HandlerRaised:
        selections = self._select(batch, at, at + 1, is_silent=True, since=since)
        fold, key = next((one.fold.name, taken.keys[0]) for one, taken in selections if taken.keys)
        return HandlerRaised(fold, key, batch.offsets[at], ProcessKilled(_KILLED))

    def _fold(
        self, batch: Batch, first: int, end: int, *, is_silent: bool, since: Since | None
    ) -> None:
        offsets = batch.offsets[first:end]
        self._inflight.begin(offsets[0], offsets[-1] + 1)
        # What catches up was decoded before: that it cannot be now must stop the worker.
        is_decided = is_silent or since is not None
        for fold, selection in self._select(batch, first, end, is_silent=is_decided, since=since):
            if selection.events:
                fold.run(selection, is_silent=is_silent)
        self._inflight.done()

    def _select(
        self, batch: Batch, first: int, end: int, *, is_silent: bool, since: Since | None
    ) -> list[tuple[FoldPartition, Selection]]:
        """What each fold takes of [first, end), with a state for every key."""
        events = self._admission.decode(batch, first, end, is_silent=is_silent)
        offsets = batch.offsets[first:end]
        types = set(map(type, events))
        selections, fresh, has_strays = [], [], False
        for fold in self._folds:
            selection = fold.select(events, offsets, types)
            if since is not None:
                selection = selection.since(since.get(fold.fold.name, {}))
            new = fold.new_keys(selection, self._store)
            if new and self._admission.find_strays(selection, new, batch, is_silent=is_silent):
                has_strays = True
            selections.append((fold, selection))
            fresh.append((fold, new))
        if has_strays:
            return self._select(batch, first, end, is_silent=is_silent, since=since)
        for fold, new in fresh:
            fold.cache.create(new)
        return selections

    def _fold_late(
        self, late: Late, event: Message, record: Record, *, is_silent: bool, since: Since
    ) -> list[tuple[str, Key]]:
        chosen = []
        for fold in self._folds:
            selection = fold.select([event], [late.due - 1], {type(event)})
            if late.is_held:
                selection = selection.since(since.get(fold.fold.name, {}))
            new = fold.new_keys(selection, self._store)
            if new:
                self._admission.check_home(event, record)
            if selection.events:
                chosen.append((fold, selection.standing_at(late.original), new))
        for fold, selection, new in chosen:
            fold.cache.create(new)
            fold.run(selection, is_silent=is_silent)
        return [(fold.fold.name, selection.keys[0]) for fold, selection, _ in chosen]
