"""Harm to workers: killed, stopped for a while, told to end."""

from __future__ import annotations

from tests.faults.scene import Scene


class KillWorker:
    """SIGKILL of any worker, whatever it is doing."""

    name = "kill-worker"

    def inject(self, scene: Scene) -> None:
        index = scene.random.choice(scene.fleet.alive or [0])
        scene.timeline.note("kill", worker=index)
        scene.fleet.kill(index)

    def heal(self, scene: Scene) -> None:
        scene.fleet.start()
