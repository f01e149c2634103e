"""The Kafka under a trial, node by node."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from confluent_kafka import ElectionType, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from streams.clock import Deadline
from streams.local import LocalKafka, process
from streams.local.health import is_ready
from streams.local.jars import broker_jars
from streams.local.java import find_java
from streams.local.ports import free_port
from streams.local.process import wait_until
from streams.local.properties import Node
from streams.ports.records import TopicPartition
from streams.settings import HomeSettings
from tests.faults.disk import Disk
from tests.faults.requests import Coordinates, Refused, find_coordinator, reassign
from tests.freezing import freeze

_GONE_WITHIN_S = 10.0
_READY_WITHIN_S = 90.0  # a machine that runs other trials takes its time
_SETTLED_WITHIN_S = 90.0
_ASK_S = 5.0

_Answer = TypeVar("_Answer")


class Cluster(Protocol):
    """A local Kafka whose nodes, numbered from 0, can be harmed one by one.

    `kill`, `stop` and `start` return when the node is gone, or ready for work. A node that is
    started again has its old address and data. Partitions and ids go by their names on the broker.
    """

    @property
    def address(self) -> str:
        """Bootstrap servers; the same for the whole trial."""

    @property
    def size(self) -> int:
        """How many nodes there are, running or not."""

    def pid(self, node: int) -> int:
        """The node's process, 0 while it is down."""

    def kill(self, *nodes: int) -> None: ...
    def stop(self, *nodes: int) -> None: ...
    def start(self, *nodes: int) -> None: ...
    def freeze(self, node: int) -> None: ...
    def thaw(self, node: int) -> None: ...

    def lose(self, node: int) -> None:
        """SIGKILL of a node that `heal` leaves down until `find`."""

    def find(self, node: int) -> None:
        """A lost node is one that can be healed again."""

    def heal(self) -> None:
        """All nodes but lost ones thawed, running and ready, and all their copies in sync.

        Where none runs, no node stays lost: after an end of all, all are started together.
        """

    def partitions(self, topic: str) -> list[TopicPartition]:
        """Those of a topic."""

    def leader(self, partition: TopicPartition) -> int:
        """The node that leads the partition, -1 while none does."""

    def group_coordinator(self, group: str) -> int:
        """The node that the group's members talk to."""

    def transaction_coordinator(self, transactional_id: str) -> int:
        """The node that decides over the producer's transactions."""

    def move_leader(self, partition: TopicPartition, node: int) -> None:
        """Make a node, which must be in sync, the partition's leader; returns when it is."""


class LocalCluster:
    """The local Kafka of one home, of one node or three. Implements `Cluster`.

    With `disk_mb` each node has a disk of that size for its data, which only root can make.
    """

    def __init__(self, home: Path, size: int = 1, *, disk_mb: int = 0) -> None:
        self._kafka = LocalKafka(home)
        self._stack = ExitStack()
        self.size = size
        _choose_ports(home, size)
        with ExitStack() as stack:  # also where it does not come up
            stack.callback(self._end)
            self.disks = [
                self._stack.enter_context(Disk(data, home / f"disk-{number}", disk_mb))
                for number, data in enumerate(_data_folders(home, size))
                if disk_mb
            ]
            self.address = self._kafka.up(size).address
            stack.pop_all()
        self.nodes = self._kafka.nodes
        self._lost: set[int] = set()
        self._client = AdminClient(
            {"bootstrap.servers": self.address, "socket.timeout.ms": 5_000, "log_level": 0}
        )

    def pid(self, node: int) -> int:
        return process.running_pid(self.nodes[node])

    def kill(self, *nodes: int) -> None:
        for node in nodes:
            with suppress(ProcessLookupError):
                os.kill(self._running(node), signal.SIGKILL)
        deadline = Deadline.after(_GONE_WITHIN_S)
        assert wait_until(lambda: not any(map(self.pid, nodes)), deadline), "it outlives SIGKILL"

    def stop(self, *nodes: int) -> None:
        process.stop([self.nodes[node] for node in nodes])

    def start(self, *nodes: int) -> None:
        if len(nodes) == self.size:
            self._kafka.up()  # which knows what is due after all were killed
            return
        java, jars = find_java(), broker_jars(HomeSettings().downloads)
        down = [self.nodes[node] for node in nodes if not self.pid(node)]
        for node in down:
            process.start(java, jars, node)
        wait_until(lambda: all(map(_is_decided, down)), Deadline.after(_READY_WITHIN_S))
        for node in down:
            assert self._answers(node), f"node {node.node_id} is not ready: {node.log}"

    def freeze(self, node: int) -> None:
        freeze(self._running(node))

    def thaw(self, node: int) -> None:
        if self.pid(node):
            os.kill(self.pid(node), signal.SIGCONT)

    def lose(self, node: int) -> None:
        self._lost.add(node)
        self.kill(node)

    def find(self, node: int) -> None:
        self._lost.discard(node)

    def heal(self) -> None:
        if not any(map(self.pid, range(self.size))):
            self._lost.clear()
        meant = [node for node in range(self.size) if node not in self._lost]
        for node in meant:
            self.thaw(node)
        if not all(map(self.pid, meant)):  # one that was frozen is ready, then is not, then is
            self.start(*meant)
        self._await(lambda: all(self._answers(self.nodes[node]) for node in meant), "all ready")
        self._await(lambda: not self._lagging(), "all copies in sync")

    def partitions(self, topic: str) -> list[TopicPartition]:
        found = self._client.list_topics(topic, _ASK_S).topics[topic].partitions
        return [TopicPartition(topic, number) for number in sorted(found)]

    def wipe(self) -> None:
        """End it and delete all its data."""
        self.kill(*(node for node in range(self.size) if self.pid(node)))
        self._end()

    def leader(self, partition: TopicPartition) -> int:
        return self._metadata(partition).leader - 1

    def group_coordinator(self, group: str) -> int:
        return self._coordinator(Coordinates.GROUP, group)

    def transaction_coordinator(self, transactional_id: str) -> int:
        return self._coordinator(Coordinates.TRANSACTIONS, transactional_id)

    def move_leader(self, partition: TopicPartition, node: int) -> None:
        wanted = node + 1
        replicas = self._metadata(partition).replicas
        order = [wanted, *(one for one in replicas if one != wanted)]
        self._asked(lambda address: reassign(address, partition, order))
        place = [Place(partition.topic, partition.partition)]

        def leads() -> bool:
            if self.leader(partition) != node:
                with suppress(KafkaException):  # it does not say so until it lags no more
                    self._client.elect_leaders(ElectionType.PREFERRED, place).result(_ASK_S)
            return self.leader(partition) == node

        self._await(leads, f"node {node} to lead {partition}")

    def _end(self) -> None:
        self._kafka.down()
        self._kafka.wipe()
        self._stack.close()

    def _running(self, node: int) -> int:
        pid = self.pid(node)
        assert pid, f"node {node} is down"
        return pid

    def _metadata(self, partition: TopicPartition):
        topics = self._client.list_topics(partition.topic, _ASK_S).topics
        return topics[partition.topic].partitions[partition.partition]

    def _lagging(self) -> list[TopicPartition]:
        """Partitions that have no leader, or lack a copy in sync on a node that is not lost."""
        lost = {node + 1 for node in self._lost}
        try:
            topics = self._client.list_topics(timeout=_ASK_S).topics
        except KafkaException:
            return [TopicPartition("?", 0)]
        return [
            TopicPartition(topic.topic, number)
            for topic in topics.values()
            for number, partition in topic.partitions.items()
            if partition.leader < 0 or set(partition.replicas) - set(partition.isrs) - lost
        ]

    def _coordinator(self, kind: Coordinates, name: str) -> int:
        return self._asked(lambda address: find_coordinator(address, kind, name)) - 1

    def _asked(self, ask: Callable[[str], _Answer]) -> _Answer:
        """The answer of any node, asked again while none can give one."""
        answers: list[_Answer] = []

        def is_answered() -> bool:
            for node in filter(self._answers, self.nodes):
                with suppress(Refused):
                    answers.append(ask(node.address))
                    return True
            return False

        self._await(is_answered, "a node that answers")
        return answers[0]

    def _answers(self, node: Node) -> bool:
        return bool(process.running_pid(node)) and is_ready(node.address)

    def _await(self, is_so: Callable[[], bool], wanted: str) -> None:
        assert wait_until(is_so, Deadline.after(_SETTLED_WITHIN_S)), f"not in time: {wanted}"


def _choose_ports(home: Path, size: int) -> None:
    """Ports that no other Kafka prefers, or it would take those of a node that is down."""
    ports: list[int] = []
    for _ in range(2 * size):
        ports.append(free_port(besides=ports))
    folder = home / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    pairs = zip(ports[::2], ports[1::2], strict=True)
    lines = "".join(f"{port} {controller}\n" for port, controller in pairs)
    (folder / "ports").write_text(lines, encoding="ascii")


def _data_folders(home: Path, size: int) -> list[Path]:
    """Where the nodes' data will lie."""
    kafka = home / "kafka"
    return [kafka / "data"] if size == 1 else [kafka / f"node-{n}" / "data" for n in (1, 2, 3)]


def _is_decided(node: Node) -> bool:
    return not process.running_pid(node) or is_ready(node.address)
