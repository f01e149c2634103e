"""Harm to the group: workers that come and go faster than it settles."""

from __future__ import annotations

import random
import threading

from tests.faults.scene import Scene

_SHORTEST_S, _LONGEST_S = 1.0, 3.0


class RebalanceStorm:
    """A worker joins or leaves every 1 to 3 s, orderly or killed, also while others recover."""

    name = "rebalance-storm"
    hold_s = 30.0

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._errors: list[Exception] = []

    def inject(self, scene: Scene) -> None:
        self._stopping.clear()
        chance = random.Random(scene.random.random())
        self._thread = threading.Thread(target=self._run, args=(scene, chance), name=self.name)
        self._thread.start()

    def heal(self, scene: Scene) -> None:
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        scene.fleet.start()
        if self._errors:
            raise self._errors.pop()

    def _run(self, scene: Scene, chance: random.Random) -> None:
        try:
            while not self._stopping.wait(chance.uniform(_SHORTEST_S, _LONGEST_S)):
                self._step(scene, chance)
        except Exception as exc:
            self._errors.append(exc)

    def _step(self, scene: Scene, chance: random.Random) -> None:
        fleet = scene.fleet
        running, down = fleet.alive, sorted(set(range(fleet.size)) - set(fleet.alive))
        if down and (len(running) <= 1 or chance.random() < 0.5):
            index = chance.choice(down)
            scene.timeline.note("join", worker=index)
            fleet.start(index)
        else:
            index, is_killed = chance.choice(running), chance.random() < 0.5
            scene.timeline.note("leave", worker=index, is_killed=is_killed)
            if is_killed:
                fleet.kill(index, stays_down=True)
            else:
                fleet.terminate(index)
