"""Harm to the disks that Kafka's logs lie on."""

from __future__ import annotations

from streams.clock import Deadline
from streams.local.process import wait_until
from tests.faults.cluster import LocalCluster
from tests.faults.disk import Disk
from tests.faults.scene import Scene

_STOPS_WITHIN_S = 60.0


class FillBrokerDisk:
    """No space is left for one node's logs: it stops, and starts again when there is space.

    For a `LocalCluster` whose nodes have disks of their own.
    """

    name = "fill-broker-disk"
    hold_s = 5.0

    def inject(self, scene: Scene) -> None:
        cluster = scene.cluster
        node = scene.random.randrange(cluster.size)
        disk = _disks(scene)[node]
        scene.timeline.note("fill-disk", node=node)

        def has_stopped() -> bool:
            disk.fill()  # again and again: what Kafka deletes makes room
            return not cluster.pid(node)

        assert wait_until(has_stopped, Deadline.after(_STOPS_WITHIN_S)), "it needs no space"
        scene.timeline.note("node-stopped", node=node)

    def heal(self, scene: Scene) -> None:
        for disk in _disks(scene):
            disk.free()
        scene.cluster.heal()


def _disks(scene: Scene) -> list[Disk]:
    assert isinstance(scene.cluster, LocalCluster)
    assert scene.cluster.disks, "wanted LocalCluster(disk_mb=...)"
    return scene.cluster.disks
