"""Harm to Kafka: nodes killed, stopped, frozen, lost for long, and leaders that move about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from streams.clock import Deadline
from streams.engine.status import service_home
from streams.kafka.config import physical
from streams.ports.records import TopicPartition
from tests.faults.cluster import Cluster
from tests.faults.fault import NothingToHarm
from tests.faults.scene import Scene

GROUPS = "__consumer_offsets"
TRANSACTIONS = "__transaction_state"


class HarmNode(ABC):
    """Harm to one node; the others, if any, take over. `said` is its note in the timeline."""

    name: str
    said: str
    hold_s = 8.0

    def inject(self, scene: Scene) -> None:
        _need_all(scene)
        node = self.victim(scene)
        scene.timeline.note(self.said, node=node)
        self.harm(scene.cluster, node)

    def heal(self, scene: Scene) -> None:
        scene.cluster.heal()

    def victim(self, scene: Scene) -> int:
        """The node to be harmed."""
        return _any_node(scene)

    @abstractmethod
    def harm(self, cluster: Cluster, node: int) -> None:
        """Do it."""


class KillBroker(HarmNode):
    """SIGKILL of one node."""

    name = "kill-broker"
    said = "kill-node"

    def harm(self, cluster: Cluster, node: int) -> None:
        cluster.kill(node)


class KillLeader(KillBroker):
    """SIGKILL of the node that leads some partition which the service reads or writes."""

    name = "kill-leader"

    def victim(self, scene: Scene) -> int:
        leader = scene.cluster.leader(_any_of_ours(scene))
        return leader if leader >= 0 else _any_node(scene)


class KillGroupCoordinator(KillBroker):
    """SIGKILL of the node that the service's group talks to."""

    name = "kill-group-coordinator"

    def victim(self, scene: Scene) -> int:
        return scene.cluster.group_coordinator(physical(scene.kafka, scene.fleet.service))


class KillTransactionCoordinator(KillBroker):
    """SIGKILL of the node that decides over the transactions of some worker."""

    name = "kill-transaction-coordinator"

    def victim(self, scene: Scene) -> int:
        return scene.cluster.transaction_coordinator(_transactional_id(scene))


class LoseBroker(HarmNode):
    """SIGKILL of one node that stays down while everything else is healed, until this one is."""

    name = "lose-broker"
    said = "lose-node"

    def __init__(self) -> None:
        self._lost: list[int] = []

    def harm(self, cluster: Cluster, node: int) -> None:
        self._lost.append(node)
        cluster.lose(node)

    def heal(self, scene: Scene) -> None:
        while self._lost:
            scene.cluster.find(self._lost.pop())
        super().heal(scene)


class StopBroker(HarmNode):
    """An orderly end of one node: what it leads is handed over first."""

    name = "stop-broker"
    said = "stop-node"

    def harm(self, cluster: Cluster, node: int) -> None:
        cluster.stop(node)


class FreezeBroker(HarmNode):
    """SIGSTOP of one node: it holds its connections, answers nobody, and comes back as a zombie."""

    name = "freeze-broker"
    said = "freeze-node"

    def harm(self, cluster: Cluster, node: int) -> None:
        cluster.freeze(node)


class RollingRestart:
    """One node after the other stopped and started, each when the one before is in sync again."""

    name = "rolling-restart"
    hold_s = 0.0

    def inject(self, scene: Scene) -> None:
        _need_all(scene)
        for node in range(scene.cluster.size):
            scene.timeline.note("restart-node", node=node)
            scene.cluster.stop(node)
            scene.cluster.start(node)
            scene.cluster.heal()

    def heal(self, scene: Scene) -> None:
        scene.cluster.heal()


class AllBrokersDown:
    """SIGKILL of every node at once, and nothing for a minute: a power cut."""

    name = "all-brokers-down"
    hold_s = 60.0

    def inject(self, scene: Scene) -> None:
        nodes = _running(scene)
        scene.timeline.note("all-nodes-down", nodes=nodes)
        self.end(scene.cluster, nodes)

    def heal(self, scene: Scene) -> None:
        scene.cluster.heal()

    def end(self, cluster: Cluster, nodes: Sequence[int]) -> None:
        """Return when they are gone."""
        cluster.kill(*nodes)


class AllBrokersStopped(AllBrokersDown):
    """The same in an orderly way: maintenance."""

    name = "all-brokers-stopped"

    def end(self, cluster: Cluster, nodes: Sequence[int]) -> None:
        cluster.stop(*nodes)


class StartWithoutBrokers(AllBrokersDown):
    """Workers that are started while no broker is there."""

    name = "start-without-brokers"
    hold_s = 15.0

    def inject(self, scene: Scene) -> None:
        super().inject(scene)
        for worker in range(scene.fleet.size):
            scene.fleet.kill(worker, stays_down=True)
        scene.fleet.start()

    def heal(self, scene: Scene) -> None:
        super().heal(scene)
        scene.fleet.start()


class MoveLeaders:
    """Every 2 s another partition of ours, and both coordinators, move to another node."""

    name = "move-leaders"
    hold_s = 0.0

    def __init__(self, moves: int = 5, every_s: float = 2.0) -> None:
        self._moves, self._every_s = moves, every_s

    def inject(self, scene: Scene) -> None:
        for _ in range(self._moves):
            rest = Deadline.after(self._every_s)
            for partition in (_any_of_ours(scene), *_coordinating(scene)):
                _move(scene, partition)
            rest.pause()

    def heal(self, scene: Scene) -> None:
        scene.cluster.heal()


def coordinating(cluster: Cluster, topic: str, name: str) -> TopicPartition:
    """The partition of an internal topic whose leader coordinates a group or a producer.

    By Kafka's rule: the absolute value of Java's hash of the name, modulo the partitions.
    """
    partitions = cluster.partitions(topic)
    return partitions[abs(_java_hash(name)) % len(partitions)]


def _coordinating(scene: Scene) -> list[TopicPartition]:
    """Of the service's group, and of the transactions of some worker."""
    group = physical(scene.kafka, scene.fleet.service)
    return [
        coordinating(scene.cluster, GROUPS, group),
        coordinating(scene.cluster, TRANSACTIONS, _transactional_id(scene)),
    ]


def _java_hash(text: str) -> int:
    """What `String.hashCode` gives for plain ASCII: 32 bits, signed."""
    found = 0
    for one in text.encode("ascii"):
        found = (31 * found + one) & 0xFFFF_FFFF
    return found - (1 << 32) if found >> 31 else found


def _move(scene: Scene, partition: TopicPartition) -> None:
    leader = scene.cluster.leader(partition)
    node = scene.random.choice([one for one in _running(scene) if one != leader])
    scene.timeline.note("move-leader", partition=str(partition), node=node)
    scene.cluster.move_leader(partition, node)


def _running(scene: Scene) -> list[int]:
    """Nodes that have a process."""
    return [node for node in range(scene.cluster.size) if scene.cluster.pid(node)]


def _need_all(scene: Scene) -> None:
    """One node of three may be missing: harm to a second one is harm to all."""
    running = _running(scene)
    if len(running) < scene.cluster.size:
        raise NothingToHarm(f"of the nodes only {running} run")


def _any_node(scene: Scene) -> int:
    return scene.random.randrange(scene.cluster.size)


def _any_of_ours(scene: Scene) -> TopicPartition:
    topic = physical(scene.kafka, scene.random.choice(scene.topics))
    return scene.random.choice(scene.cluster.partitions(topic))


def _transactional_id(scene: Scene) -> str:
    """Of a worker that runs; see `streams/engine/slots.py`."""
    service = scene.fleet.service
    worker = scene.random.choice(scene.fleet.alive or [0])
    slots = service_home(scene.kafka, scene.fleet.home(worker)) / "state" / service / "slots"
    instance = (slots / "instance").read_text(encoding="utf-8")
    return physical(scene.kafka, f"{service}.{instance}.{worker}")
