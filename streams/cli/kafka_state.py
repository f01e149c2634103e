"""How the Kafka of this machine is, in words: can it be used, and what ails which node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streams.local.compose import COMPOSE_FILE, Containers

if TYPE_CHECKING:
    from streams.local import NodeStatus, Status

NOT_RUNNING = "no local Kafka is running; start one with `streams kafka up`"


def kafka_in_words(found: Status) -> Iterator[str]:
    """Lines, the verdict first; then each node that ails, and what to do about it."""
    alive = [node for node in found.nodes if node.pid]
    if not alive:
        yield NOT_RUNNING
        return
    if len(found.nodes) == 1:
        yield from _single(found, alive[0])
    else:
        yield from _several(found)
    yield f"data and log: {found.folder}"


def containers_in_words(found: Containers) -> Iterator[str]:
    """The same of the Kafka in Docker."""
    if not found.states:
        yield "Docker runs no Kafka; start one with `streams kafka up --docker`"
        return
    size, healthy = len(found.services), len(found.healthy)
    if found.is_usable:
        nodes = f", {healthy} of {size} nodes" if size > 1 else ""
        yield f"Kafka runs at {found.address} in Docker{nodes}"
    elif size > 1:
        yield f"Kafka cannot be used: {healthy} of {size} nodes healthy, wanted {size // 2 + 1}"
    for name in found.services:
        state = found.states.get(name, "gone")
        if state != "healthy":
            yield f"Kafka's container {name} is {state}, wanted healthy"
    yield f"log: docker compose -f {COMPOSE_FILE} logs {' '.join(found.services)}"


def _single(found: Status, node: NodeStatus) -> Iterator[str]:
    if found.is_running:
        yield f"Kafka {found.version} runs at {found.address} (process {node.pid})"
    else:
        yield _ailing(node, "Kafka")


def _several(found: Status) -> Iterator[str]:
    size = len(found.nodes)
    ready = [node for node in found.nodes if node.is_ready]
    processes = ", ".join(str(node.pid) for node in found.nodes if node.pid)
    if found.is_running:
        nodes = f"{len(ready)} of {size} nodes" if len(ready) < size else f"{size} nodes"
        yield f"Kafka {found.version} runs at {found.address} ({nodes}, processes {processes})"
    else:
        yield (
            f"Kafka cannot be used: {len(ready)} of {size} nodes ready, wanted {size // 2 + 1} "
            f"(processes {processes})"
        )
    for node in found.nodes:
        if not node.is_ready:
            yield _ailing(node, f"node {node.node_id}")


def _ailing(node: NodeStatus, name: str) -> str:
    if not node.pid:
        return f"{name} is gone; `streams kafka up` starts it again; its log: {node.log}"
    return (
        f"{name} does not answer at {node.address}; if it stays so, kill its process {node.pid}, "
        f"then run `streams kafka up`; its log: {node.log}"
    )
