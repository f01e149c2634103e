"""Java processes of a node: format its folder, start it detached, find it again, stop it."""

from __future__ import annotations

import base64
import subprocess
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil

from streams.clock import Deadline
from streams.errors import BrokerUnavailable
from streams.local.properties import Node

HEAP = "400m"  # holds a few hundred partitions; the node takes about 310 MB
STOP_TIMEOUT_S = 30.0
_FORMAT_TIMEOUT_S = 60
_POLL_S = 0.1
LOG_FLAGS = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
)
# The shell starts Java in the background and ends, so that no caller becomes the node's parent:
# it outlives its caller, gets none of its signals and leaves it no zombie.
_DETACH = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 & echo $!'


def format_folder(java: Path, jars: Path, node: Node) -> None:
    """Make the node's data folder a new cluster of one; does nothing to one that has data."""
    if (node.data / "meta.properties").is_file():
        return
    tool = ["kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(node.properties)]
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


def _cluster_id() -> str:
    """A random id as Kafka draws it: one that begins with a dash is taken for an option."""
    while True:
        drawn = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not drawn.startswith("-"):
            return drawn


def start(java: Path, jars: Path, node: Node) -> int:
    """Start the node in a session of its own; returns its process id."""
    flags = (f"-Xmx{HEAP}", *LOG_FLAGS, "-cp", f"{jars}/*")
    shell = subprocess.run(
        ["sh", "-c", _DETACH, "sh", node.log, java, *flags, "kafka.Kafka", node.properties],
        capture_output=True,
        text=True,
        check=True,
        cwd=node.folder,
        start_new_session=True,
    )
    return int(shell.stdout)


def is_node(pid: int, properties: Path) -> bool:
    """Whether the process lives and was started with this `server.properties`.

    A process id alone proves nothing: after a reboot it may be anyone's.
    """
    try:
        return str(properties) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def stop(pid: int, properties: Path) -> None:
    """Stop the node: politely, then after STOP_TIMEOUT_S by force. Returns when it is gone."""
    for signal in (psutil.Process.terminate, psutil.Process.kill):
        if not is_node(pid, properties):
            return
        signal(psutil.Process(pid))
        if wait_until(lambda: not is_node(pid, properties), Deadline.after(STOP_TIMEOUT_S)):
            return
    raise BrokerUnavailable(f"cannot stop Kafka: process {pid} is still there after SIGKILL")


def wait_until(is_done: Callable[[], bool], deadline: Deadline) -> bool:
    """Whether it was done by the deadline; asks ten times a second."""
    pause = threading.Event()
    while not is_done():
        if deadline.is_over:
            return False
        pause.wait(min(_POLL_S, deadline.left_s))
    return True
