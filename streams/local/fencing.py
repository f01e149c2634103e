"""After a kill: take away what nodes led, before they may coordinate transactions again.

A node that was killed is still registered when it starts again. Until that registration expires it
takes itself for the leader of everything, yet answers nobody; then, for a moment, nothing has a
leader. Kafka (4.3.1, `TransactionMarkerChannelManager`) takes partitions without a leader for
deleted and drops the markers they were to get: transactions that were being committed or aborted
stay open for ever, and the next one of the same producer decides over their records too. So where
no controller runs, controllers alone run first, just until they have fenced the killed nodes.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from streams.clock import Deadline
from streams.local.process import LOG_FLAGS, STOP_TIMEOUT_S, wait_until
from streams.local.properties import HOST, Node, server_properties, write_file

_CLEAN = ".kafka_cleanshutdown"  # Kafka writes it at an orderly end and deletes it at the start
_STARTED = "Becoming the active controller"
_FENCED = "Fencing broker"
_KEPT = frozenset({"node.id", "listener.security.protocol.map", "log.dirs"})
_START_TIMEOUT_S = 30.0
_FENCE_TIMEOUT_S = 3.0  # nothing is fenced if that was done before
_WRITE_TIMEOUT_S = 10.0


def was_killed(node: Node) -> bool:
    """Whether the node has data and did not end in an orderly way."""
    return (node.data / "meta.properties").is_file() and not (node.data / _CLEAN).is_file()


def fence(java: Path, jars: Path, nodes: Sequence[Node]) -> None:
    """Run a whole cluster as controllers alone until what killed nodes led is nobody's.

    A controller says that it fences before it writes that down; ended in between, it did nothing.
    """
    with ExitStack() as stack:
        controllers = [stack.enter_context(_controller(java, jars, node)) for node in nodes]
        _await_words(_STARTED, 1, nodes, controllers, Deadline.after(_START_TIMEOUT_S))
        killed = sum(map(was_killed, nodes))
        _await_words(_FENCED, killed, nodes, controllers, Deadline.after(_FENCE_TIMEOUT_S))
        wait_until(lambda: is_written(nodes), Deadline.after(_WRITE_TIMEOUT_S))
        for controller in controllers:
            controller.terminate()
        for controller in controllers:
            _end(controller)


def is_written(nodes: Sequence[Node]) -> bool:
    """Whether the metadata log of each node says of all that were fenced that they are."""
    found = re.findall(rf"{_FENCED} (\d+) at epoch (\d+)", _words(nodes))
    records = [_fenced_record(int(node_id), int(epoch)) for node_id, epoch in found]
    return all(record.search(_metadata(node)) for node in nodes for record in records)


def _fenced_record(node_id: int, epoch: int) -> re.Pattern[bytes]:
    """A BrokerRegistrationChangeRecord: type 17, any version, and 1 in the tagged field 0."""
    who = re.escape(struct.pack(">iq", node_id, epoch))
    return re.compile(rb"\x01\x11[\x00-\x0f]" + who + rb"[\x01-\x0f]\x00\x01\x01", re.DOTALL)


def _metadata(node: Node) -> bytes:
    """The newest part of the node's metadata log."""
    parts = sorted((node.data / "__cluster_metadata-0").glob("*.log"))
    return parts[-1].read_bytes() if parts else b""


def _controller(java: Path, jars: Path, node: Node) -> subprocess.Popen[bytes]:
    properties = node.folder / "fencing.properties"
    write_file(properties, fencing_properties(node))
    flags = ("-Xmx200m", "-XX:TieredStopAtLevel=1", *LOG_FLAGS, "-cp", f"{jars}/*")
    with _log(node).open("wb") as output:
        return subprocess.Popen(
            [java, *flags, "kafka.Kafka", properties],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=node.folder,
        )


def _log(node: Node) -> Path:
    return node.folder / "fencing.log"


def _words(nodes: Sequence[Node]) -> str:
    return "".join(_log(node).read_text("utf-8", "replace") for node in nodes)


def _end(controller: subprocess.Popen[bytes]) -> None:
    try:
        controller.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        controller.kill()


def fencing_properties(node: Node) -> dict[str, str]:
    """The node's settings as a controller alone whose patience with brokers is short."""
    kept = {
        name: value
        for name, value in server_properties(node).items()
        if name.startswith("controller.") or name in _KEPT
    }
    return kept | {
        "process.roles": "controller",
        "listeners": f"CONTROLLER://{HOST}:{node.controller_port}",
        "broker.session.timeout.ms": "100",
    }


def _await_words(
    word: str,
    times: int,
    nodes: Sequence[Node],
    controllers: Sequence[subprocess.Popen[bytes]],
    deadline: Deadline,
) -> None:
    def is_over() -> bool:
        return _words(nodes).count(word) >= times or all(
            one.poll() is not None for one in controllers
        )

    wait_until(is_over, deadline)
