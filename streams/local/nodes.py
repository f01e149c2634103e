"""The nodes of one Kafka folder: how many there are, their folders and their ports.

The file `ports` has a line for each: the port for clients and the one for controllers. A single
node lives in the Kafka folder itself, three live in `node-1` to `node-3` inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streams.clock import Deadline
from streams.local.ports import free_port, is_free
from streams.local.process import wait_until
from streams.local.properties import SIZES, Node

DEFAULT_PORT = 9092  # each further node prefers the next two
PORTS_TIMEOUT_S = 3.0  # the system takes a moment to close what a killed Kafka had open

Ports = tuple[int, int]


def read_nodes(folder: Path) -> tuple[Node, ...]:
    """The nodes as they were last started; one with the default ports if there were none."""
    return _nodes(folder, _last_ports(folder) or _wanted_ports(1))


def choose_nodes(folder: Path, size: int) -> tuple[Node, ...]:
    """As many nodes, none of which may run; on the ports of the last start where they are free."""
    last = _last_ports(folder)
    if len(last) != size:
        last = []
    wait_until(
        lambda: all(is_free(port) for pair in last for port in pair),
        Deadline.after(PORTS_TIMEOUT_S),
    )
    ports = _free_ports(last or _wanted_ports(size), _wanted_ports(size))
    lines = "".join(f"{port} {controller_port}\n" for port, controller_port in ports)
    (folder / "ports").write_text(lines, encoding="ascii")
    return _nodes(folder, ports)


def _free_ports(last: Sequence[Ports], wanted: Sequence[Ports]) -> list[Ports]:
    """No port twice: all are chosen before any is bound."""
    taken: set[int] = set()
    chosen: list[Ports] = []
    for before, default in zip(last, wanted, strict=True):
        port, controller_port = (
            _take(taken, *candidates) for candidates in zip(before, default, strict=True)
        )
        chosen.append((port, controller_port))
    return chosen


def _take(taken: set[int], *wanted: int) -> int:
    port = free_port(*wanted, besides=taken)
    taken.add(port)
    return port


def _wanted_ports(size: int) -> list[Ports]:
    return [(port, port + 1) for port in range(DEFAULT_PORT, DEFAULT_PORT + 2 * size, 2)]


def _nodes(folder: Path, ports: Sequence[Ports]) -> tuple[Node, ...]:
    is_alone = len(ports) == 1
    return tuple(
        Node(
            folder=folder if is_alone else folder / f"node-{node_id}",
            port=port,
            controller_port=controller_port,
            node_id=node_id,
            quorum=tuple(controller for _, controller in ports),
        )
        for node_id, (port, controller_port) in enumerate(ports, start=1)
    )


def _last_ports(folder: Path) -> list[Ports]:
    """Of the last start, so that clients find a restarted Kafka again; empty if unknown."""
    try:
        lines = (folder / "ports").read_text(encoding="ascii").splitlines()
        found = [(int(port), int(controller)) for port, controller in map(str.split, lines)]
    except (OSError, ValueError):
        return []
    return found if len(found) in SIZES else []
