"""Java processes of nodes: format folders, start detached, find again, stop."""

from __future__ import annotations

import base64
import subprocess
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from streams.clock import Deadline
from streams.errors import BrokerUnavailable
from streams.local.properties import Node

HEAP = "400m"  # holds a few hundred partitions; the node takes about 310 MB
STOP_TIMEOUT_S = 30.0
_FORMAT_TIMEOUT_S = 60
_EXEC_S = 1.0  # more than the kernel takes to make a process another program
_POLL_S = 0.1
LOG_FLAGS = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
)
# The shell starts Java in the background and ends, so that no caller becomes the node's parent:
# it outlives its caller, gets none of its signals and leaves it no zombie.
_DETACH = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 & echo $!'


def format_folders(java: Path, jars: Path, nodes: Sequence[Node]) -> None:
    """Make the data folders of one cluster; those of its nodes that have data stay as they are."""
    cluster_id = next(filter(None, map(_cluster_id, nodes)), "") or _new_cluster_id()
    bare = [node for node in nodes if not _cluster_id(node)]
    with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
        list(pool.map(lambda node: _format_folder(java, jars, node, cluster_id), bare))


def _format_folder(java: Path, jars: Path, node: Node, cluster_id: str) -> None:
    tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(node.properties)]
    run = subprocess.run(
        [java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", *tool],
        capture_output=True,
        text=True,
        timeout=_FORMAT_TIMEOUT_S,
        check=False,
    )
    if run.returncode != 0:
        raise BrokerUnavailable(
            f"cannot format the Kafka folder {node.data}: {(run.stderr or run.stdout).strip()}"
        )


def _cluster_id(node: Node) -> str:
    """The id of the cluster whose data the node has; empty without data."""
    try:
        lines = (node.data / "meta.properties").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    return next(
        value for name, _, value in (line.partition("=") for line in lines) if name == "cluster.id"
    )


def _new_cluster_id() -> str:
    """A random id as Kafka draws it: one that begins with a dash is taken for an option."""
    while True:
        drawn = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not drawn.startswith("-"):
            return drawn


def start(java: Path, jars: Path, node: Node) -> None:
    """Start the node in a session of its own, and write down its process id."""
    flags = (f"-Xmx{HEAP}", *LOG_FLAGS, "-cp", f"{jars}/*")
    shell = subprocess.run(
        ["sh", "-c", _DETACH, "sh", node.log, java, *flags, "kafka.Kafka", node.properties],
        capture_output=True,
        text=True,
        check=True,
        cwd=node.folder,
        start_new_session=True,
    )
    node.pid.write_text(shell.stdout, encoding="ascii")


def running_pid(node: Node) -> int:
    """Process id of the node, 0 when it does not run."""
    try:
        pid = int(node.pid.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return pid if is_node(pid, node.properties) else 0


def is_node(pid: int, properties: Path) -> bool:
    """Whether the process lives and was started with this `server.properties`.

    A process id alone proves nothing: after a reboot it may be anyone's. And for a moment, while
    the shell's child becomes Java, a process that lives has no command line at all.
    """
    command: list[str] = []

    def is_told() -> bool:
        command.extend(psutil.Process(pid).cmdline())
        return bool(command)

    try:
        wait_until(is_told, Deadline.after(_EXEC_S))
    except psutil.Error:
        return False
    return str(properties) in command


def stop(nodes: Sequence[Node]) -> None:
    """Stop the nodes: politely, after STOP_TIMEOUT_S by force. Returns when they are gone."""
    for signal in (psutil.Process.terminate, psutil.Process.kill):
        _signal(nodes, signal)
        if wait_until(lambda: not any(map(running_pid, nodes)), Deadline.after(STOP_TIMEOUT_S)):
            break
    left = [pid for pid in map(running_pid, nodes) if pid]
    if left:
        raise BrokerUnavailable(f"cannot stop Kafka: still there after SIGKILL: processes {left}")
    for node in nodes:
        node.pid.unlink(missing_ok=True)


def _signal(nodes: Sequence[Node], signal: Callable[[psutil.Process], None]) -> None:
    for pid in filter(None, map(running_pid, nodes)):
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile
            signal(psutil.Process(pid))


def wait_until(is_done: Callable[[], bool], deadline: Deadline) -> bool:
    """Whether it was done by the deadline; asks ten times a second."""
    pause = threading.Event()
    while not is_done():
        if deadline.is_over:
            return False
        pause.wait(min(_POLL_S, deadline.left_s))
    return True
