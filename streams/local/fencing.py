"""After a kill: take away what the node led, before it may coordinate transactions again.

A node that was killed is still registered when it starts again. Until that registration expires it
takes itself for the leader of everything, yet answers nobody; then, for a moment, nothing has a
leader. Kafka (4.3.1, `TransactionMarkerChannelManager`) takes partitions without a leader for
deleted and drops the markers they were to get: transactions that were being committed or aborted
stay open for ever, and the next one of the same producer decides over their records too. So a
controller alone runs first, just until it has fenced the node.
"""

from __future__ import annotations

import subprocess
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


def was_killed(node: Node) -> bool:
    """Whether the node has data and did not end in an orderly way."""
    return (node.data / "meta.properties").is_file() and not (node.data / _CLEAN).is_file()


def fence(java: Path, jars: Path, node: Node) -> None:
    """Run the node as a controller alone until what it led is nobody's."""
    properties, log = node.folder / "fencing.properties", node.folder / "fencing.log"
    write_file(properties, fencing_properties(node))
    flags = ("-Xmx200m", "-XX:TieredStopAtLevel=1", *LOG_FLAGS, "-cp", f"{jars}/*")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [java, *flags, "kafka.Kafka", properties],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=node.folder,
        ) as controller,
    ):
        _await_word(_STARTED, log, controller, Deadline.after(_START_TIMEOUT_S))
        _await_word(_FENCED, log, controller, Deadline.after(_FENCE_TIMEOUT_S))
        controller.terminate()
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


def _await_word(
    word: str, log: Path, controller: subprocess.Popen[bytes], deadline: Deadline
) -> None:
    def is_over() -> bool:
        return controller.poll() is not None or word in log.read_text("utf-8", "replace")

    wait_until(is_over, deadline)
