"""Harm to single workers: killed anywhere or at a point, frozen, starved, out of memory, ended."""

from __future__ import annotations

import resource

import psutil

from streams.clock import Deadline, monotonic_s
from streams.local.process import wait_until
from tests.faults.cgroup import Cgroup
from tests.faults.crash_points import Point
from tests.faults.fault import NothingToHarm
from tests.faults.scene import Scene

_OWNS_WITHIN_S = 15.0
_STRUCK_WITHIN_S = 15.0
_DRAINED_WITHIN_S = 10.0
_LITTLE_BYTES = 1 << 20
_LITTLE_CPU = 0.1


class KillWorker:
    """SIGKILL of any worker, whatever it is doing."""

    name = "kill-worker"
    hold_s = 0.0

    def inject(self, scene: Scene) -> None:
        index = victim(scene)
        scene.timeline.note("kill", worker=index)
        scene.fleet.kill(index)

    def heal(self, scene: Scene) -> None:
        scene.fleet.start()


class KillAllWorkers:
    """SIGKILL of all workers at once, as when their host goes down."""

    name = "kill-all-workers"
    hold_s = 0.0

    def inject(self, scene: Scene) -> None:
        for index in scene.fleet.alive:
            scene.fleet.kill(index)

    def heal(self, scene: Scene) -> None:
        scene.fleet.start()


class KillAt:
    """SIGKILL of a worker at a point of its work; returns when it fell."""

    hold_s = 0.0

    def __init__(self, point: Point) -> None:
        self.name = f"kill-{point.value}"
        self._point = point

    def inject(self, scene: Scene) -> None:
        fleet, index = scene.fleet, victim(scene)
        if self._point in _OF_A_START:
            fleet.kill(index, stays_down=True)
        fleet.arm(index, self._point)
        fleet.start(index)
        pid = fleet.pid(index)

        def is_struck() -> bool:
            return not fleet.is_armed(index, self._point) and fleet.pid(index) != pid

        found = wait_until(is_struck, Deadline.after(_STRUCK_WITHIN_S))
        if not found:
            self.heal(scene)
            raise NothingToHarm(f"worker {index} did not come to {self._point.value}")
        scene.timeline.note("struck", worker=index)

    def heal(self, scene: Scene) -> None:
        scene.fleet.disarm()
        scene.fleet.start()


class FreezeWorker:
    """SIGSTOP, held beyond the session time-out, and back: a zombie that believes it owns.

    On one host its folder is wanted by the new owner, and the supervisor kills it; with a host of
    its own it comes back to a group that went on without it.
    """

    name = "freeze-worker"
    hold_s = 12.0

    def inject(self, scene: Scene) -> None:
        index = victim(scene)
        scene.timeline.note("freeze", worker=index)
        scene.fleet.freeze(index)

    def heal(self, scene: Scene) -> None:
        for index in range(scene.fleet.size):
            scene.fleet.thaw(index)
        scene.fleet.start()


class TerminateWorker:
    """SIGTERM under load: it commits, saves, and is gone with exit code 0 soon."""

    name = "terminate-worker"
    hold_s = 0.0

    def inject(self, scene: Scene) -> None:
        index = victim(scene)
        begun_s = monotonic_s()
        code = scene.fleet.terminate(index)
        took_s = round(monotonic_s() - begun_s, 2)
        scene.timeline.note("drained", worker=index, code=code, took_s=took_s)
        if code != 0 or took_s > _DRAINED_WITHIN_S:
            scene.timeline.note("not-orderly", worker=index, code=code, took_s=took_s)

    def heal(self, scene: Scene) -> None:
        scene.fleet.start()


class OutOfMemory:
    """A worker that gets no more memory: the kernel kills it, or its next allocation fails."""

    name = "out-of-memory"
    hold_s = 8.0

    def __init__(self) -> None:
        self._group = Cgroup("memory")

    def inject(self, scene: Scene) -> None:
        index = victim(scene)
        pid = scene.fleet.pid(index)
        is_kernels = self._group.make()
        if is_kernels:
            self._group.limit_memory(_LITTLE_BYTES)
            self._group.take(pid)
        else:
            size = psutil.Process(pid).memory_info().vms + _LITTLE_BYTES
            resource.prlimit(pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
        scene.timeline.note("out-of-memory", worker=index, pid=pid, is_kernels=is_kernels)

    def heal(self, scene: Scene) -> None:
        self._group.drop()
        scene.fleet.start()


class StarveWorker:
    """A worker that gets a tenth of a processor; nothing where the kernel does not let us."""

    name = "starve-worker"
    hold_s = 15.0

    def __init__(self) -> None:
        self._group = Cgroup("cpu")

    def inject(self, scene: Scene) -> None:
        index = victim(scene)
        is_kernels = self._group.make()
        if is_kernels:
            self._group.limit_cpu(_LITTLE_CPU)
            self._group.take(scene.fleet.pid(index))
        scene.timeline.note("starve", worker=index, is_kernels=is_kernels)

    def heal(self, scene: Scene) -> None:
        self._group.drop()
        scene.fleet.start()


_OF_A_START = {Point.INSIDE_INIT, Point.INSIDE_ASSIGN, Point.INSIDE_REPLAY}


def victim(scene: Scene) -> int:
    """A worker that owns something and moves; where none does in time, any."""
    fleet = scene.fleet
    wait_until(lambda: bool(fleet.working), Deadline.after(_OWNS_WITHIN_S))
    return scene.random.choice(fleet.working or range(fleet.size))
