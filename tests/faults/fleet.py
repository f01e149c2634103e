"""The workers of a service under trial: real processes, one by one within reach.

The fleet stands in for the supervisor: a worker that dies is started again soon, one that ends
with "needs a human" is not, a holder of a folder that its new owner wants is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from streams.clock import Deadline, monotonic_s
from streams.engine.process import NEEDS_A_HUMAN
from streams.engine.status import WorkerStatus, read_statuses, service_home
from streams.settings import KafkaSettings, child_environment
from streams.state.folder import is_kill_requested
from tests.faults.crash_points import Point, arm, disarm
from tests.faults.place import PAUSE_S, Dress, Ended, Place
from tests.faults.timeline import Timeline
from tests.freezing import freeze

REPOSITORY = Path(__file__).parents[2]

_TURN_S = 0.1
_LONGEST_PAUSE_S = 5.0
_YOUNG_S = 10.0
_GRACE_S = 20.0

_COMMAND = (sys.executable, "-m", "tests.faults.worker")

SETTINGS = {
    "STREAMS_CHECKPOINT_INTERVAL_S": "2",
    "STREAMS_COMMIT_INTERVAL_S": "0.1",
    "STREAMS_LOG": "json",
}
"""More commits and checkpoints than usual: more moments to strike at."""


class Fleet:
    """`size` places for workers, numbered from 0; leaving the `with` block kills what runs.

    Workers share one STREAMS_HOME, as on one host; with `hosts` > 1 worker n lives in that of host
    n % hosts, so that partitions move without their state. Safe from any thread.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        folder: Path,
        timeline: Timeline,
        *,
        size: int = 3,
        hosts: int = 1,
        settings: Mapping[str, str] | None = None,
        bug: str = "",
    ) -> None:
        self.kafka = kafka
        self.service = "counters"
        self.ended: list[Ended] = []
        self._timeline = timeline
        self._settings = {**SETTINGS, **(settings or {})}
        self._bug = bug
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._places = [
            Place(
                index,
                home=folder / f"host-{index % hosts}",
                log=folder / f"worker-{index}.log",
                arms=folder / "scratch" / f"arms-{index}",
            )
            for index in range(size)
        ]
        for place in self._places:
            place.home.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self._places)

    @property
    def homes(self) -> list[Path]:
        """The STREAMS_HOME of each host."""
        return sorted({place.home for place in self._places})

    @property
    def alive(self) -> list[int]:
        """Workers whose process runs, frozen ones too."""
        with self._lock:
            return [one.index for one in self._places if _runs(one.process)]

    @property
    def working(self) -> list[int]:
        """Workers that own something and are not frozen."""
        owners = set(self.owners().values())
        return sorted(one for one in owners if not self._places[one].is_frozen)

    @property
    def largest_rss_bytes(self) -> int:
        """The memory of the largest worker."""
        sizes = [0]
        for index in self.alive:
            with suppress(psutil.NoSuchProcess):
                sizes.append(psutil.Process(self.pid(index)).memory_info().rss)
        return max(sizes)

    @property
    def needing_a_human(self) -> list[Ended]:
        """Ends that no supervisor heals, and nobody is there to answer."""
        with self._lock:
            return [one for one in self.ended if one.asks_for_a_human and not one.is_answered]

    def home(self, index: int) -> Path:
        """The worker's STREAMS_HOME."""
        return self._places[index].home

    def log(self, index: int) -> Path:
        """What the worker's processes wrote, one after the other."""
        return self._places[index].log

    def pid(self, index: int) -> int:
        """The worker's process, 0 while there is none."""
        with self._lock:
            process = self._places[index].process
            return process.pid if process is not None and _runs(process) else 0

    def status(self, index: int) -> WorkerStatus | None:
        """What the worker's present process last said of itself."""
        home, pid = self._places[index].home, self.pid(index)
        found = read_statuses(service_home(self.kafka, home), self.service)
        return next((one for one in found if one.pid == pid), None) if pid else None

    def owners(self) -> dict[str, int]:
        """`topic/partition` to the worker that last said to own it; dead ones own nothing."""
        statuses = {index: self.status(index) for index in self.alive}
        return {
            partition: index
            for index, status in statuses.items()
            if status is not None
            for partition in status.partitions
        }

    def dress(
        self,
        index: int,
        *,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] = {},
        may_refuse: bool = False,
    ) -> None:
        """How the worker's next processes are started; without arguments plainly again."""
        with self._lock:
            self._places[index].dress = Dress(tuple(prefix), dict(environment), may_refuse)

    def may_refuse(self, index: int) -> bool:
        """Whether its next process, or the present one, may find that it cannot go on."""
        with self._lock:
            place = self._places[index]
            return place.dress.may_refuse or place.worn.may_refuse

    def arm(self, index: int, point: Point) -> None:
        """Have the worker killed when it next passes a point; its next process, if it has none."""
        arm(self._places[index].arms, point)

    def is_armed(self, index: int, point: Point) -> bool:
        """Whether the worker was not struck there yet."""
        return (self._places[index].arms / point.value).exists()

    def disarm(self) -> None:
        """Have no worker killed anywhere."""
        for place in self._places:
            disarm(place.arms)

    def reach(self, index: int, bootstrap_servers: str, *, through: Sequence[str] = ()) -> None:
        """Where the worker's next processes find Kafka, and live, however they are dressed."""
        with self._lock:
            self._places[index].kafka_at = bootstrap_servers
            self._places[index].through = through

    def start(self, *indexes: int) -> None:
        """Bring workers up and keep them up; all of them when none is named."""
        with self._lock:
            for place in self._named(indexes):
                place.is_up = True
                if place.process is None:
                    self._start(place)

    def kill(self, index: int, *, stays_down: bool = False) -> None:
        """SIGKILL; it comes back soon unless it `stays_down` until `start`."""
        with self._lock:
            place = self._places[index]
            place.is_up = place.is_up and not stays_down
            victim = self._end(place, signal.SIGKILL)
        self._await_end(place, victim, _GRACE_S)

    def terminate(self, index: int, timeout_s: float = _GRACE_S) -> int:
        """SIGTERM; its exit code, -9 when it did not end in time. Down until `start`."""
        with self._lock:
            place = self._places[index]
            place.is_up = False
            told = self._end(place, signal.SIGTERM)
        if not self._await_end(place, told, timeout_s):
            self.kill(index, stays_down=True)
        return 0 if told is None else told.returncode

    def freeze(self, index: int) -> None:
        """SIGSTOP; returns when every thread of it stands still."""
        with self._lock:
            place = self._places[index]
            if place.process is not None and _runs(place.process):
                place.is_frozen = True
                freeze(place.process.pid)

    def thaw(self, index: int) -> None:
        """SIGCONT; nothing when it is not frozen."""
        with self._lock:
            place = self._places[index]
            if place.is_frozen and place.process is not None and _runs(place.process):
                os.kill(place.process.pid, signal.SIGCONT)
            place.is_frozen = False

    def heal(self) -> None:
        """All workers up and moving, nothing armed. What they are dressed in stays."""
        self.disarm()
        for place in self._places:
            self.thaw(place.index)
        self.start()

    def stop(self, timeout_s: float = _GRACE_S) -> list[int]:
        """SIGTERM to all at once; the exit codes of those that ran."""
        told = []
        with self._lock:
            for place in self._places:
                place.is_up = False
                told.append((place, self._end(place, signal.SIGTERM)))
        deadline = Deadline.after(timeout_s)
        for place, process in told:
            if not self._await_end(place, process, deadline.left_s):
                self.kill(place.index, stays_down=True)
        return [process.returncode for _, process in told if process is not None]

    def _run(self) -> None:
        while not self._closing.wait(_TURN_S):
            with self._lock:
                for place in self._places:
                    self._look_after(place)

    def _look_after(self, place: Place) -> None:
        self._collect(place)
        process = place.process
        if process is not None:
            home = service_home(self.kafka, place.home)
            if is_kill_requested(home, process.pid):
                self._timeline.note("holder-killed", worker=place.index, pid=process.pid)
                self._end(place, signal.SIGKILL)
        elif place.is_up and monotonic_s() >= place.start_at_s:
            self._start(place)

    def _collect(self, place: Place) -> None:
        """Note the end of a process that ended."""
        process = place.process
        if process is None or process.poll() is None:
            return
        code = process.returncode
        place.process = None
        place.is_doomed = place.is_doomed or code == -signal.SIGKILL  # also by itself, at a point
        place.is_frozen = False
        if process.stdin is not None:
            process.stdin.close()
        is_answered = place.worn.may_refuse and code == NEEDS_A_HUMAN
        is_wanted = place.is_doomed or is_answered
        self.ended.append(
            Ended(place.index, process.pid, code, self._timeline.at_s, is_wanted, is_answered)
        )
        self._timeline.note(
            "worker-ended", worker=place.index, pid=process.pid, code=code, wanted=is_wanted
        )
        if self.ended[-1].asks_for_a_human:
            place.is_up = False
        is_young = monotonic_s() - place.started_s < _YOUNG_S and not place.is_doomed
        place.pause_s = min(_LONGEST_PAUSE_S, place.pause_s * 2) if is_young else PAUSE_S
        place.start_at_s = monotonic_s() + place.pause_s

    def _start(self, place: Place) -> None:
        dress = place.worn = place.dress
        with place.log.open("ab") as log:
            place.process = subprocess.Popen(
                [
                    *place.through,
                    *dress.prefix,
                    *_COMMAND,
                    self.service,
                    str(place.index),
                    str(place.arms),
                    self._bug,
                ],
                cwd=REPOSITORY,
                env=child_environment(
                    {
                        "KAFKA_BOOTSTRAP_SERVERS": place.kafka_at or self.kafka.bootstrap_servers,
                        "STREAMS_NAMESPACE": self.kafka.namespace,
                        "STREAMS_HOME": str(place.home),
                        **self._settings,
                        **dress.environment,
                    }
                ),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        place.is_doomed = place.is_frozen = False
        place.started_s = monotonic_s()
        self._timeline.note("worker-started", worker=place.index, pid=place.process.pid)

    def _end(self, place: Place, how: signal.Signals) -> subprocess.Popen[bytes] | None:
        """The process that was signalled, if one ran."""
        if not _runs(place.process):
            return None
        place.is_doomed = True
        place.process.send_signal(how)
        return place.process

    def _await_end(
        self, place: Place, process: subprocess.Popen[bytes] | None, timeout_s: float
    ) -> bool:
        """Whether a process is gone, and its end noted."""
        if process is None:
            return True
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        with self._lock:
            if place.process is process:
                self._collect(place)
        return True

    def _named(self, indexes: Sequence[int]) -> list[Place]:
        return [self._places[index] for index in indexes] if indexes else self._places

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._closing.set()
        self._thread.join()
        for place in self._places:
            self.kill(place.index, stays_down=True)


def _runs(process: subprocess.Popen[bytes] | None) -> bool:
    return process is not None and process.poll() is None
