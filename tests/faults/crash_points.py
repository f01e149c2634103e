"""Moments in the life of a worker, or of a command, at which a trial can have it killed.

A point is armed by a file in a folder of the process, which deletes that file when it passes there,
and kills itself with SIGKILL. Points "inside" a call kill from a thread a moment after the
call began, so that they fall before, into or after what the broker or the disk does.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Any

import confluent_kafka

from streams.clock import Deadline
from streams.engine import folding, partition
from streams.engine.opening import Opener
from streams.kafka import transaction
from streams.state.rocks import RocksStore

_LONGEST_COMMIT_S = 0.008
_LONGEST_WRITE_S = 0.002
_FLUSH_S = 2.0


class Point(Enum):
    """Where a worker may be struck; those of a transaction only in one that writes something."""

    INSIDE_INIT = "inside-init"
    INSIDE_ASSIGN = "inside-assign"
    INSIDE_REPLAY = "inside-replay"
    BEFORE_PRODUCE = "before-produce"
    AFTER_PRODUCE = "after-produce"
    AFTER_SEND_OFFSETS = "after-send-offsets"
    INSIDE_COMMIT = "inside-commit"
    AFTER_COMMIT = "after-commit"
    INSIDE_CHECKPOINT = "inside-checkpoint"
    AFTER_CHECKPOINT = "after-checkpoint"


def arm(folder: Path, point: Point) -> None:
    """Strike the worker of this folder when it next passes there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / point.value).touch()


def disarm(folder: Path) -> None:
    """Strike nowhere."""
    for point in Point:
        (folder / point.value).unlink(missing_ok=True)


class CrashPoints:
    """The worker's side: `pass_by` at each point, or `inside` around a call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._random = random.Random()

    def install(self) -> None:
        """Put the points into the program; before any of it runs."""
        transaction.Client = type("Client", (StrikingProducer,), {"points": self})
        Opener.open = self._around(Point.INSIDE_ASSIGN, Opener.open, 0.02)
        partition.write_checkpoint = self._before_and_after(partition.write_checkpoint)
        RocksStore.write = self._around(Point.INSIDE_CHECKPOINT, RocksStore.write, _LONGEST_WRITE_S)
        folding.Folding._fold = self._in_replay(folding.Folding._fold)

    def pass_by(self, point: Point) -> None:
        """Die here if the point is armed."""
        if self._is_armed(point):
            _die()

    def inside(self, point: Point, longest_s: float) -> None:
        """Die within this time, from another thread, if the point is armed."""
        if self._is_armed(point):
            moment = Deadline.after(self._random.uniform(0.0, longest_s))
            threading.Thread(target=_die_at, args=(moment,), daemon=True).start()

    def _is_armed(self, point: Point) -> bool:
        try:
            (self._folder / point.value).unlink()
        except FileNotFoundError:
            return False
        return True

    def _around(
        self, point: Point, call: Callable[..., Any], longest_s: float
    ) -> Callable[..., Any]:
        @wraps(call)
        def struck(*args: Any, **named: Any) -> Any:
            self.inside(point, longest_s)
            return call(*args, **named)

        return struck

    def _before_and_after(self, call: Callable[..., int]) -> Callable[..., int]:
        @wraps(call)
        def struck(*args: Any) -> int:
            written = call(*args)
            self.pass_by(Point.AFTER_CHECKPOINT)
            return written

        return struck

    def _in_replay(self, fold: Callable[..., None]) -> Callable[..., None]:
        @wraps(fold)
        def struck(self_: Any, *args: Any, is_silent: bool, **named: Any) -> None:
            fold(self_, *args, is_silent=is_silent, **named)
            if is_silent:
                self.pass_by(Point.INSIDE_REPLAY)

        return struck


class StrikingProducer(confluent_kafka.Producer):
    """The client of the transactions, with a point between any two of its calls."""

    points: CrashPoints

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._produced = 0
        self._moves_offsets = False

    def init_transactions(self, *args: Any) -> None:
        self.points.inside(Point.INSIDE_INIT, _LONGEST_COMMIT_S)
        super().init_transactions(*args)

    def produce(self, *args: Any, **named: Any) -> None:
        if not self._produced:
            self.points.pass_by(Point.BEFORE_PRODUCE)
        super().produce(*args, **named)
        self._produced += 1

    def send_offsets_to_transaction(self, *args: Any) -> None:
        self._have_produced()
        super().send_offsets_to_transaction(*args)
        self._moves_offsets = True
        if self._produced:
            self.points.pass_by(Point.AFTER_SEND_OFFSETS)

    def commit_transaction(self, *args: Any) -> None:
        if not self._moves_offsets:  # as what people ask for
            self._have_produced()
        if self._produced:
            self.points.inside(Point.INSIDE_COMMIT, _LONGEST_COMMIT_S)
        super().commit_transaction(*args)
        if self._produced:
            self.points.pass_by(Point.AFTER_COMMIT)
        self._produced, self._moves_offsets = 0, False

    def _have_produced(self) -> None:
        """Everything of a transaction is queued."""
        if self._produced and self.points._is_armed(Point.AFTER_PRODUCE):
            self.flush(_FLUSH_S)
            _die()


def _die_at(moment: Deadline) -> None:
    moment.pause()
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
