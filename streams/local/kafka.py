"""The Kafka of one STREAMS_HOME, of one node or three: up, down, status, wipe."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.clock import Deadline
from streams.errors import BrokerUnavailable, ConfigurationError
from streams.local import process
from streams.local.fencing import fence, was_killed
from streams.local.health import is_ready
from streams.local.jars import KAFKA_VERSION, broker_jars, jars_folder
from streams.local.java import find_java
from streams.local.nodes import choose_nodes, read_nodes
from streams.local.properties import SIZES, Node, write_properties
from streams.settings import HomeSettings

# 3 s on an idle machine, 8 for three nodes; a loaded one takes its time.
START_TIMEOUT_S = {1: 60.0, 3: 120.0}
LOG_TAIL_LINES = 30
_ANSWER_TIMEOUT_S = 5.0
_PORT_LOST = "Address already in use"  # someone took a port between our look and Java's bind


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """What is known about one node; `pid` is 0 while its process is gone."""

    node_id: int
    is_ready: bool
    address: str
    pid: int
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is known about the local Kafka; `address` is empty while it is down.

    It runs while most of its nodes do. `pid` and `log` are those of the first node that runs.
    """

    is_running: bool
    address: str
    pid: int
    version: str
    folder: str
    log: str
    nodes: tuple[NodeStatus, ...] = ()


class LocalKafka:
    """The Kafka of one home folder; any number of processes may hold one of these.

    Everything lies in `<home>/kafka`: `ports`, `address` while it runs, and of each node `data`,
    `server.properties`, `server.log` and `pid`, in folders of their own if there are three. The
    jars lie in the downloads folder of the settings.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home.absolute() / "kafka"
        self._downloads = HomeSettings().downloads
        self._address = self._folder / "address"

    @property
    def is_downloaded(self) -> bool:
        """Whether `up` needs no network; else the first one loads 44 MB, about 20 s."""
        return jars_folder(self._downloads).is_dir()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its nodes, where they were last started."""
        return read_nodes(self._folder)

    def up(self, size: int | None = None) -> Status:
        """Start what does not run of its nodes; returns when all are ready for work.

        `size` is 1 or 3; without it there are as many as last time, at first one. Raises
        BrokerUnavailable with the end of the log when a node does not get there, and
        ConfigurationError where there is data of another number of nodes.
        """
        size = self._wanted_size(size)
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not self._come_up(size):
                raise BrokerUnavailable(self._why_not_ready())
        return self.status()

    def down(self) -> bool:
        """Stop Kafka; returns whether it ran. Data stays."""
        if not self._folder.is_dir():
            return False
        with self._locked():
            was_running = any(map(process.running_pid, self.nodes))
            process.stop(self.nodes)
            self._address.unlink(missing_ok=True)
        return was_running

    def status(self) -> Status:
        """Whether it runs, where, where its log is, and how each node is."""
        nodes = tuple(map(_node_status, self.nodes))
        first = next((node for node in nodes if node.pid), nodes[0])
        is_running = 2 * sum(node.is_ready for node in nodes) > len(nodes)
        return Status(
            is_running=is_running,
            address=_addresses(self.nodes) if is_running else "",
            pid=first.pid,
            version=KAFKA_VERSION,
            folder=str(self._folder),
            log=first.log,
            nodes=nodes,
        )

    def wipe(self) -> None:
        """Delete every topic and offset; ConfigurationError while a node runs."""
        if not self._folder.is_dir():
            return
        with self._locked():
            running = [pid for pid in map(process.running_pid, self.nodes) if pid]
            if running:
                raise ConfigurationError(
                    f"found Kafka running (process {', '.join(map(str, running))}), wanted it "
                    f"stopped before its data in {self._folder} is deleted; run "
                    "`streams kafka down` first"
                )
            for node in self.nodes:
                shutil.rmtree(node.data, ignore_errors=True)

    def _wanted_size(self, size: int | None) -> int:
        found = len(self.nodes)
        if size is None or size == found:
            return found
        if size not in SIZES:
            raise ConfigurationError(
                f"found {size} nodes, wanted {' or '.join(map(str, SIZES))}: more than one need a "
                "majority, which three keep without one of them"
            )
        if any(process.running_pid(node) or node.data.is_dir() for node in self.nodes):
            raise ConfigurationError(
                f"found a Kafka of {_count(found)} in {self._folder}, wanted {_count(size)}; run "
                "`streams kafka down` and `streams kafka wipe`, which deletes its topics, or set "
                "STREAMS_HOME to another folder for a second Kafka"
            )
        return size

    def _come_up(self, size: int) -> bool:
        """Start the nodes that do not run; returns whether all are ready."""
        was_down = not any(map(process.running_pid, self.nodes))
        self._start(size)
        is_up = self._await_ready()
        if not is_up and was_down and any(_PORT_LOST in _tail(node.log) for node in self.nodes):
            process.stop(self.nodes)
            self._start(size)
            is_up = self._await_ready()
        if is_up or self._is_usable():
            self._address.write_text(_addresses(self.nodes) + "\n", encoding="utf-8")
        return is_up

    def _start(self, size: int) -> None:
        nodes = self.nodes
        is_down = not any(map(process.running_pid, nodes))
        if not is_down and all(map(process.running_pid, nodes)):
            return
        java, jars = find_java(), broker_jars(self._downloads)
        if is_down:  # else those that run know where the others are to be
            nodes = choose_nodes(self._folder, size)
        idle = [node for node in nodes if not process.running_pid(node)]
        for node in idle:
            node.folder.mkdir(exist_ok=True)
            write_properties(node)
        if is_down and any(map(was_killed, nodes)):
            fence(java, jars, nodes)
        process.format_folders(java, jars, nodes)
        for node in idle:
            process.start(java, jars, node)

    def _await_ready(self) -> bool:
        """Waits until each node is ready for work or has ended, or it took too long."""

        def is_decided() -> bool:
            return all(is_ready(node.address) for node in self.nodes if process.running_pid(node))

        process.wait_until(is_decided, Deadline.after(START_TIMEOUT_S[len(self.nodes)]))
        return all(map(_is_ready, self.nodes))

    def _is_usable(self) -> bool:
        """Whether most nodes are ready: the others' part is then theirs."""
        return 2 * sum(map(_is_ready, self.nodes)) > len(self.nodes)

    def _why_not_ready(self) -> str:
        node = next((node for node in self.nodes if not _is_ready(node)), self.nodes[0])
        pid = process.running_pid(node)
        fate = f"process {pid} does not answer" if pid else "its process ended"
        what = "Kafka" if node.size == 1 else f"node {node.node_id} of {node.size}"
        if self._is_usable():
            what = f"Kafka works, but cannot start its {what}"
        else:
            what = f"cannot start {what}"
        return f"{what} at {node.address}: {fate}; {node.log} ends:\n{_tail(node.log)}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, also among processes."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _is_ready(node: Node) -> bool:
    return bool(process.running_pid(node)) and is_ready(node.address)


def _node_status(node: Node) -> NodeStatus:
    pid = process.running_pid(node)
    return NodeStatus(
        node_id=node.node_id,
        is_ready=bool(pid) and is_ready(node.address, _ANSWER_TIMEOUT_S),
        address=node.address,
        pid=pid,
        log=str(node.log),
    )


def _addresses(nodes: Sequence[Node]) -> str:
    return ",".join(node.address for node in nodes)


def _count(size: int) -> str:
    return "1 node" if size == 1 else f"{size} nodes"


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as exc:
        return f"(no log: {exc.strerror})"
    return "\n".join(lines[-LOG_TAIL_LINES:])
