"""The Kafka of `docker-compose.kafka.yml`, for those who have Docker."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.errors import BrokerUnavailable, ConfigurationError, NotFound
from streams.kafka.address import docker_address, own_address

COMPOSE_FILE = "docker-compose.kafka.yml"
SERVICES: Mapping[int, Mapping[str, str]] = {
    1: {"kafka": "127.0.0.1:9092"},
    3: {"kafka-1": "127.0.0.1:9092", "kafka-2": "127.0.0.1:9094", "kafka-3": "127.0.0.1:9096"},
}
"""By the number of nodes: the services of the file, and where programs here reach each."""
_ALL = tuple(name for services in SERVICES.values() for name in services)
_GONE = frozenset({"exited", "dead", "created"})


@dataclass(frozen=True, slots=True)
class Containers:
    """What Docker says of each broker: `healthy`, `starting`, `exited`, …; none without one."""

    states: Mapping[str, str]

    @property
    def services(self) -> Mapping[str, str]:
        """The services of the cluster that was started, and their addresses."""
        size = 3 if self.states.keys() & SERVICES[3].keys() else 1
        return SERVICES[size]

    @property
    def healthy(self) -> list[str]:
        """The services that can be used."""
        return [name for name in self.services if self.states.get(name) == "healthy"]

    @property
    def is_usable(self) -> bool:
        """Whether most of the nodes are healthy."""
        return 2 * len(self.healthy) > len(self.services)

    @property
    def address(self) -> str:
        """Where programs on this machine reach it; empty while it cannot be used."""
        return ",".join(self.services.values()) if self.is_usable else ""


def compose_up(folder: Path, home: Path, size: int | None = None) -> Containers:
    """Start the broker of the compose file in `folder`, or three; returns when they are healthy.

    Every verb finds them from then on. ConfigurationError while the home's own Kafka runs, which
    they would go on using, or a number of nodes for which the file has no services.
    """
    own = own_address(home)
    if own:
        raise ConfigurationError(
            f"found this machine's own Kafka running at {own}, wanted one Kafka: every verb would "
            "go on using that one; run `streams kafka down` first"
        )
    services = _wanted_services(folder, size)
    _compose(folder, "up", "--detach", "--wait", *services)
    file = docker_address(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(",".join(services.values()) + "\n", encoding="utf-8")
    return Containers(dict.fromkeys(services, "healthy"))


def compose_down(folder: Path, home: Path) -> None:
    """Stop and remove the containers of the compose file in `folder`; data stays in its volume."""
    _compose(folder, "--profile", "*", "down")
    docker_address(home).unlink(missing_ok=True)


def compose_state(folder: Path) -> Containers:
    """What Docker says of the brokers."""
    answer = _compose(folder, "--profile", "*", "ps", "--all", "--format", "json", is_asked=True)
    states = {one["Service"]: one.get("Health") or one["State"] for one in _containers(answer)}
    return Containers({name: state for name, state in states.items() if name in _ALL})


def compose_wipe(folder: Path) -> None:
    """Delete the volumes of the compose file in `folder`; ConfigurationError while Kafka runs."""
    running = {n: state for n, state in compose_state(folder).states.items() if state not in _GONE}
    if running:
        found = ", ".join(f"container {name} {state}" for name, state in running.items())
        raise ConfigurationError(
            f"found Kafka's {found}, wanted it stopped before its data is deleted; run "
            "`streams kafka down --docker` first"
        )
    _compose(folder, "--profile", "*", "down", "--volumes")


def _wanted_services(folder: Path, size: int | None) -> Mapping[str, str]:
    """Those that were started before, unless a number of nodes is named."""
    found = compose_state(folder)
    if size is None or SERVICES.get(size) == found.services:
        return found.services
    if size not in SERVICES:
        raise ConfigurationError(f"found {size} nodes, wanted 1 or 3, as {COMPOSE_FILE} has them")
    if found.states:
        raise ConfigurationError(
            f"found containers of {len(found.services)} nodes, wanted {size}: they would share "
            "a port; run `streams kafka down --docker` first"
        )
    return SERVICES[size]


def _containers(answer: str) -> list[dict[str, Any]]:
    """One object a line; a list of them before Compose 2.21."""
    found = [json.loads(line) for line in answer.splitlines() if line.strip()]
    return found[0] if found and isinstance(found[0], list) else found


def _compose(folder: Path, *arguments: str, is_asked: bool = False) -> str:
    """What `docker compose` printed, if it is asked; else that goes to the terminal."""
    file = folder / COMPOSE_FILE
    if not file.is_file():
        raise NotFound(
            f"found no {COMPOSE_FILE} in {folder}; go to the folder of the project that has it, "
            "or use Kafka without Docker: leave out --docker"
        )
    docker = shutil.which("docker")
    if docker is None:
        raise BrokerUnavailable(
            "found no `docker` command; install Docker with its compose plugin, "
            "or use Kafka without it: leave out --docker"
        )
    pipe = subprocess.PIPE if is_asked else None
    command = [docker, "compose", "-f", str(file), *arguments]
    run = subprocess.run(command, check=False, stdout=pipe, text=True)
    if run.returncode != 0:
        raise BrokerUnavailable(
            f"`docker compose {' '.join(arguments)}` ended with {run.returncode}; its output above "
            "says why (is the Docker daemon running, and the compose plugin installed?)"
        )
    return run.stdout or ""
