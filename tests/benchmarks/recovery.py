"""SIGKILL at full load with many keys of state: how long until the successor is caught up.

1. Fold one event of each photo.
2. Under a steady load of RATE events a second, which outlasts a checkpoint, kill the worker.
3. Start another at once, on the same state ("same host") or on none ("other host").
4. Caught up is when every partition has moved on since, and no more than LAG_S worth of the load
   is not committed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.clock import Deadline, monotonic_s
from streams.kafka.admin import KafkaAdmin
from streams.ports.records import TopicPartition
from tests.benchmarks.field import own
from tests.benchmarks.trial import Filled

RATE = 20_000
LAG_S = 1.0
GROUP = "recover"
_PARTITIONS = 4
_STEP_S = 300
_POLL_S = 0.05
_STEADY_S = 12  # longer than the checkpoint interval: every state is saved by then
_ENDLESS = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Seconds from SIGKILL to caught up, with `keys` of state."""

    keys: int
    has_state: bool
    seconds: float


def measure_recovery(given: Filled, *, has_state: bool) -> Recovery:
    """Kill a worker that holds a state for each photo of `given`; raises when it stays behind."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _Watch(given) as watch:
        home = Path(folder)
        with _worker(given, home) as worker:
            _wait(lambda: watch.lag() == 0, "all keys are folded")
            with _load(given):
                _steady(watch)
                worker.kill()
                killed_s = monotonic_s()
                worker.wait()
                left = watch.positions()
                if not has_state:
                    shutil.rmtree(home)
                with _worker(given, home):
                    _wait(lambda: watch.is_past(left), "the successor works on every partition")
                    _wait(lambda: watch.lag() <= RATE * LAG_S, "the successor is caught up")
                    seconds = monotonic_s() - killed_s
    return Recovery(keys=given.workload.count, has_state=has_state, seconds=seconds)


class _Watch:
    """How far the group's committed positions are behind the log."""

    def __init__(self, given: Filled) -> None:
        self._admin = KafkaAdmin(given.place.kafka)
        self._sources = [TopicPartition("social.photos", at) for at in range(_PARTITIONS)]

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_error: object) -> None:
        self._admin.close()

    def lag(self) -> int:
        """Records that are not committed."""
        ends, positions = self._admin.ends(self._sources), self.positions()
        return sum(end - positions[source] for source, end in ends.items())

    def positions(self) -> dict[TopicPartition, int]:
        """What is committed, 0 where nothing is."""
        found = self._admin.group_positions(GROUP, self._sources)
        return {
            source: 0 if (at := found.get(source)) is None else at.offset
            for source in self._sources
        }

    def is_past(self, before: dict[TopicPartition, int]) -> bool:
        """Whether every partition has moved on."""
        return all(at > before[source] for source, at in self.positions().items())


def _options(given: Filled, **more: Any) -> str:
    place = given.place
    return json.dumps({"bootstrap": place.bootstrap, "namespace": place.kafka.namespace} | more)


@contextmanager
def _worker(given: Filled, home: Path) -> Iterator[subprocess.Popen[str]]:
    options = _options(given, group=GROUP, job="members", events=_ENDLESS, before=0, home=str(home))
    worker = subprocess.Popen([*own("fold"), options], stdout=subprocess.DEVNULL, text=True)
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait()


@contextmanager
def _load(given: Filled) -> Iterator[None]:
    options = _options(given, photos=given.workload.count, rate=RATE)
    load = subprocess.Popen([*own("load"), options], stdin=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        load.communicate("")


def _steady(watch: _Watch) -> None:
    """Let the load run until the worker has kept up with it for a while."""
    steady = Deadline.after(_STEADY_S)
    _wait(lambda: steady.is_over and watch.lag() <= RATE * LAG_S, "the worker keeps up")


def _wait(is_true: Callable[[], bool], what: str) -> None:
    deadline, pause = Deadline.after(_STEP_S), threading.Event()
    while not is_true():
        if deadline.is_over:
            raise RuntimeError(f"waited {_STEP_S} s in vain until {what}")
        pause.wait(_POLL_S)
