"""Saves the states of a worker's partitions in rounds, a few partitions after each commit.

All at once would hold up every partition for as long as all changes together take to write.
"""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Final

from streams.clock import monotonic_s
from streams.engine.assignment import Assignment
from streams.engine.instruments import Instruments
from streams.ports.records import TopicPartition
from streams.settings import WorkerSettings

_ROUND: Final = 0.5
"""The part of the checkpoint interval in which a round is done."""


class Checkpoints:
    """One worker's checkpoints. Owned by the worker's thread."""

    def __init__(
        self, settings: WorkerSettings, assignment: Assignment, instruments: Instruments
    ) -> None:
        self._settings = settings
        self._assignment = assignment
        self._instruments = instruments
        self._waiting: deque[TopicPartition] = deque()
        self._at_once = 1
        self._is_turning = False
        self._due_s = monotonic_s() + settings.checkpoint_interval_s

    @property
    def are_pressing(self) -> bool:
        """Whether changes fill half the cache: they cannot be forgotten before they are saved."""
        changed = sum(partition.unsaved for partition in self._assignment.partitions)
        return changed > self._settings.cache_entries // 2

    @property
    def is_due(self) -> bool:
        """Whether it is time for a round and none is open."""
        return not self._waiting and monotonic_s() >= self._due_s

    def save_some(self) -> None:
        """Right after a commit: begin a round when it is due, or go on with the open one."""
        if self.is_due:
            self._begin()
        for _ in range(min(self._at_once, len(self._waiting))):
            self._save(self._waiting.popleft())

    def save_all(self) -> None:
        """Right after a commit: a whole round."""
        self._begin()
        while self._waiting:
            self._save(self._waiting.popleft())

    def _begin(self) -> None:
        partitions, settings = self._assignment.partitions, self._settings
        entries = sum(partition.entries for partition in partitions)
        self._instruments.cached(entries)
        self._is_turning = entries > settings.cache_entries // 2
        self._waiting = deque(partition.source for partition in partitions)
        commits = settings.checkpoint_interval_s * _ROUND / settings.commit_interval_s
        self._at_once = max(1, ceil(len(partitions) / max(1.0, commits)))
        self._due_s = monotonic_s() + settings.checkpoint_interval_s

    def _save(self, source: TopicPartition) -> None:
        partition = self._assignment.owned.get(source)
        if partition is None:  # it left since the round began, and was saved then
            return
        size = partition.checkpoint(turn=self._is_turning)
        if size:
            self._instruments.checkpointed(source, size)
