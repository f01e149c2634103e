"""Wall clocks that jump: of one worker or of all."""

from __future__ import annotations

from streams.clock import Deadline, now_us
from streams.local.process import wait_until
from tests.faults.faketime import FakeClock
from tests.faults.scene import Scene

HOUR_S = 3_600

_OWNS_WITHIN_S = 15.0
_JUMPS_WITHIN_S = 10.0


class JumpClock:
    """The wall clock of one worker, or of all, jumps while it works; it jumps back at the end.

    Needs libfaketime. What is to jump is started anew for it, and once more without it at the end:
    nothing for times when other programs are deployed as well.
    """

    hold_s = 10.0

    def __init__(self, offset_s: int, *, is_everybodys: bool = False) -> None:
        whose = "all-clocks" if is_everybodys else "clock"
        self.name = f"{whose}-{'forward' if offset_s > 0 else 'back'}"
        self._offset_s = offset_s
        self._is_everybodys = is_everybodys
        self._dressed: list[int] = []

    def inject(self, scene: Scene) -> None:
        every = list(range(scene.fleet.size))
        workers = every if self._is_everybodys else [scene.random.choice(every)]
        clock = FakeClock(scene.folder / "scratch" / self.name)
        self._start_with(clock, workers, scene)
        clock.jump(self._offset_s)
        has_jumped = wait_until(
            lambda: all(self._has_jumped(worker, scene) for worker in workers),
            Deadline.after(_JUMPS_WITHIN_S),
        )
        scene.timeline.note("jumped" if has_jumped else "not-jumped", workers=workers)

    def heal(self, scene: Scene) -> None:
        dressed, self._dressed = self._dressed, []
        for worker in dressed:
            scene.fleet.dress(worker)
            scene.fleet.terminate(worker)
        scene.fleet.start()

    def _start_with(self, clock: FakeClock, workers: list[int], scene: Scene) -> None:
        """Returns when they work, or do not in time."""
        fleet = scene.fleet
        self._dressed = workers
        for worker in workers:
            fleet.dress(worker, environment=clock.environment)
            fleet.terminate(worker)
        fleet.start()
        wait_until(lambda: set(workers) <= set(fleet.working), Deadline.after(_OWNS_WITHIN_S))

    def _has_jumped(self, worker: int, scene: Scene) -> bool:
        """By the worker's own word, in the status that it writes."""
        status = scene.fleet.status(worker)
        ahead_s = 0.0 if status is None else (status.updated_us - now_us()) / 1e6
        return abs(ahead_s - self._offset_s) < abs(self._offset_s) / 2
