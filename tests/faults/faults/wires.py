"""Packets of a worker that the kernel loses: the same cuts as of the proxy, below the connections.

The proxy cuts exactly, by what is asked, and takes new connections meanwhile. Here nobody answers
who dials, and a cut is between a worker and a whole node, whatever that node is to it.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Final

from streams.kafka.config import physical
from streams.ports.records import TopicPartition
from tests.faults.faults.workers import victim
from tests.faults.proxy import Direction
from tests.faults.scene import Scene

_BOTH: Final = tuple(Direction)


class Whom(Enum):
    """Which nodes a worker is cut off from."""

    ALL = "all"
    COORDINATOR = "coordinator"
    LEADER = "leader"


class CutWire:
    """The kernel loses the packets between a worker that owns something and nodes of Kafka.

    They are all nodes, the one that coordinates its group, or one that leads an input of its own,
    and another one where that can be chosen.

    With one direction only: REQUEST loses what it sends, ANSWER what it would hear.
    """

    hold_s = 12.0

    def __init__(self, whom: Whom = Whom.ALL, directions: Collection[Direction] = _BOTH) -> None:
        ways = [] if len(directions) > 1 else [f"{one.value}s" for one in directions]
        self.name = "-".join(["wire-cut", whom.value, *ways])
        self._whom = whom
        self._directions = directions
        self._workers: list[int] = []

    def inject(self, scene: Scene) -> None:
        worker = victim(scene)
        nodes = self._nodes(scene, worker)
        scene.timeline.note("cut-wire", worker=worker, nodes=nodes)
        self._workers.append(worker)
        scene.network.lose(worker, self._directions, nodes)

    def heal(self, scene: Scene) -> None:
        while self._workers:
            scene.network.mend(self._workers.pop())

    def _nodes(self, scene: Scene, worker: int) -> list[int]:
        every = list(range(scene.cluster.size))
        if self._whom is Whom.ALL:
            return every
        coordinator = scene.cluster.group_coordinator(physical(scene.kafka, scene.fleet.service))
        if self._whom is Whom.COORDINATOR:
            return [coordinator]
        leaders = {scene.cluster.leader(one) for one in _inputs(scene, worker)} & set(every)
        return [scene.random.choice(sorted(leaders - {coordinator} or leaders or every))]


def _inputs(scene: Scene, worker: int) -> list[TopicPartition]:
    """What a worker owns, by its names on the broker."""
    owned = [name for name, owner in scene.fleet.owners().items() if owner == worker]
    parts = [name.rpartition("/") for name in sorted(owned)]
    return [TopicPartition(physical(scene.kafka, topic), int(at)) for topic, _, at in parts]
