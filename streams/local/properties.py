"""The brokers' `server.properties`: as many copies as there are nodes, and quick take-overs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"

TUNING: Mapping[str, str] = {
    # Internal topics have few partitions, so that a node starts fast.
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.num.partitions": "5",
    # A mistyped topic is an error, not a new topic.
    "auto.create.topics.enable": "false",
    # Groups: a dead worker is noticed after 6 s, and a rebalance step waits 1 s, not 5.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "6000",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.session.timeout.ms": "6000",
    # A worker that was away for months must find its committed offsets: one year.
    "offsets.retention.minutes": "525600",
    # A dead worker's open transaction holds back its readers until the next sweep.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # The cleaner's default buffer of 128 MB is a third of the heap.
    "log.cleaner.dedupe.buffer.size": "33554432",
}
"""What every node has, whatever their number."""

ONE_NODE: Mapping[str, str] = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Nobody could take over from the only broker, so a frozen one need not be given up soon.
    "broker.session.timeout.ms": "30000",
}

THREE_NODES: Mapping[str, str] = {
    # Any one of the three may be gone, and what was acknowledged is still on two.
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    # The others take over from a dead node after 3 s; Kafka's default is 9.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "1000",
    "controller.quorum.fetch.timeout.ms": "2000",
}

SIZES: Mapping[int, Mapping[str, str]] = {1: ONE_NODE, 3: THREE_NODES}
"""What depends on the number of nodes. Two would be worse than one: both are needed for a majority.

The compose file sets these and TUNING too; `tests/unit/test_compose.py` holds them equal.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One Kafka node, broker and controller at once, and where it keeps its files."""

    folder: Path
    port: int
    controller_port: int
    node_id: int = 1
    quorum: tuple[int, ...]
    """Controller ports of all nodes, in the order of their ids; one if the node is alone."""

    @property
    def size(self) -> int:
        """How many nodes the cluster has."""
        return len(self.quorum)

    @property
    def address(self) -> str:
        """Where clients connect, host:port."""
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        """Folder of the logs: all that is worth keeping."""
        return self.folder / "data"

    @property
    def properties(self) -> Path:
        """The node's `server.properties`."""
        return self.folder / "server.properties"

    @property
    def log(self) -> Path:
        """What the node prints."""
        return self.folder / "server.log"

    @property
    def pid(self) -> Path:
        """The file that holds its process id."""
        return self.folder / "pid"


def server_properties(node: Node) -> dict[str, str]:
    """Every setting of the node, by Kafka's names."""
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.voters": _voters(node),
        "listeners": f"PLAINTEXT://{node.address},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{node.address}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(node.data),
        **TUNING,
        **SIZES[node.size],
    }


def _voters(node: Node) -> str:
    return ",".join(f"{i}@{HOST}:{port}" for i, port in enumerate(node.quorum, start=1))


def write_properties(node: Node) -> None:
    """Write the node's `server.properties`."""
    write_file(node.properties, server_properties(node))


def write_file(path: Path, properties: Mapping[str, str]) -> None:
    """Write settings in the form of Java's property files."""
    lines = (f"{name}={_escaped(value)}\n" for name, value in properties.items())
    path.write_text("".join(lines), encoding="utf-8")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
