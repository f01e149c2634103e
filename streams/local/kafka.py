"""A single-node Kafka of one STREAMS_HOME: up, down, status, wipe."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
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
from streams.local.ports import free_port, is_free
from streams.local.properties import Node, write_properties
from streams.settings import HomeSettings

DEFAULT_PORT = 9092
DEFAULT_CONTROLLER_PORT = 9093
START_TIMEOUT_S = 60.0  # 3 s on an idle machine; a loaded one takes its time
PORTS_TIMEOUT_S = 3.0  # the system takes a moment to close what a killed Kafka had open
LOG_TAIL_LINES = 30
_PORT_LOST = "Address already in use"  # someone took the port between our look and Java's bind


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is known about the local Kafka; `address` is empty and `pid` 0 while it is down."""

    is_running: bool
    address: str
    pid: int
    version: str
    folder: str
    log: str


class LocalKafka:
    """The Kafka of one home folder; any number of processes may hold one of these.

    Everything lies in `<home>/kafka`: `data`, `server.properties`, `server.log`, `pid`, and
    `address` while it runs. The jars lie in the downloads folder of the settings.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home.absolute() / "kafka"
        self._downloads = HomeSettings().downloads
        self._address = self._folder / "address"
        self._pid = self._folder / "pid"
        self._ports = self._folder / "ports"

    @property
    def is_downloaded(self) -> bool:
        """Whether `up` needs no network; else the first one loads 44 MB, about 20 s."""
        return jars_folder(self._downloads).is_dir()

    def up(self) -> Status:
        """Start Kafka unless it runs; returns when it is ready for work.

        Raises BrokerUnavailable with the end of the log when it does not get there.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not self._running_pid():
                self._start()
            if not self._is_ready() and _PORT_LOST in _tail(self._node().log):
                self._start()
            if not self._is_ready():
                raise BrokerUnavailable(self._why_not_ready())
            self._address.write_text(self._node().address + "\n", encoding="utf-8")
        return self.status()

    def down(self) -> bool:
        """Stop Kafka; returns whether it ran. Data stays."""
        if not self._folder.is_dir():
            return False
        with self._locked():
            pid = self._running_pid()
            if pid:
                process.stop(pid, self._node().properties)
            self._address.unlink(missing_ok=True)
            self._pid.unlink(missing_ok=True)
        return bool(pid)

    def status(self) -> Status:
        """Whether it runs, where, and where its log is."""
        pid = self._running_pid()
        node = self._node()
        return Status(
            is_running=bool(pid),
            address=node.address if pid else "",
            pid=pid,
            version=KAFKA_VERSION,
            folder=str(self._folder),
            log=str(node.log),
        )

    def wipe(self) -> None:
        """Delete every topic and offset; ConfigurationError while it runs."""
        if not self._folder.is_dir():
            return
        with self._locked():
            pid, data = self._running_pid(), self._node().data
            if pid:
                raise ConfigurationError(
                    f"found Kafka running (process {pid}), wanted it stopped before its data in "
                    f"{data} is deleted; run `streams kafka down` first"
                )
            shutil.rmtree(data, ignore_errors=True)

    def _start(self) -> None:
        java, jars = find_java(), broker_jars(self._downloads)
        self._choose_ports()
        node = self._node()
        write_properties(node)
        if was_killed(node):
            fence(java, jars, node)
        process.format_folder(java, jars, node)
        pid = process.start(java, jars, node)
        self._pid.write_text(f"{pid}\n", encoding="ascii")

    def _choose_ports(self) -> None:
        last_port, last_controller_port = self._last_ports()
        if self._ports.is_file():
            process.wait_until(
                lambda: is_free(last_port) and is_free(last_controller_port),
                Deadline.after(PORTS_TIMEOUT_S),
            )
        port = free_port(last_port, DEFAULT_PORT)
        controller_port = free_port(last_controller_port, DEFAULT_CONTROLLER_PORT, besides=port)
        self._ports.write_text(f"{port} {controller_port}\n", encoding="ascii")

    def _is_ready(self) -> bool:
        """Waits until the node is ready for work, has ended, or took too long."""
        address = self._node().address

        def is_decided() -> bool:
            return not self._running_pid() or is_ready(address)

        process.wait_until(is_decided, Deadline.after(START_TIMEOUT_S))
        return bool(self._running_pid()) and is_ready(address)

    def _why_not_ready(self) -> str:
        node, pid = self._node(), self._running_pid()
        fate = f"process {pid} does not answer" if pid else "its process ended"
        return f"cannot start Kafka at {node.address}: {fate}; {node.log} ends:\n{_tail(node.log)}"

    def _running_pid(self) -> int:
        """Process id of our node, 0 when there is none."""
        try:
            pid = int(self._pid.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
        return pid if process.is_node(pid, self._node().properties) else 0

    def _node(self) -> Node:
        port, controller_port = self._last_ports()
        return Node(folder=self._folder, port=port, controller_port=controller_port)

    def _last_ports(self) -> tuple[int, int]:
        """The ports of the last start, so that clients find a restarted Kafka again."""
        try:
            port, controller_port = map(int, self._ports.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            return DEFAULT_PORT, DEFAULT_CONTROLLER_PORT
        return port, controller_port

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, also among processes."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as exc:
        return f"(no log: {exc.strerror})"
    return "\n".join(lines[-LOG_TAIL_LINES:])
