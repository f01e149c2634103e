"""The Kafka of `docker-compose.kafka.yml`, for those who have Docker."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from streams.errors import BrokerUnavailable, ConfigurationError, NotFound
from streams.kafka.address import docker_address, own_address

COMPOSE_FILE = "docker-compose.kafka.yml"
SERVICE = "kafka"
ADDRESS = "127.0.0.1:9092"  # where programs on this machine reach it


def compose_up(folder: Path, home: Path) -> None:
    """Start the broker of the compose file in `folder`; returns when it is healthy.

    Every verb finds it from then on. ConfigurationError while the home's own Kafka runs, which
    they would go on using.
    """
    own = own_address(home)
    if own:
        raise ConfigurationError(
            f"found this machine's own Kafka running at {own}, wanted one Kafka: every verb would "
            "go on using that one; run `streams kafka down` first"
        )
    _compose(folder, "up", "--detach", "--wait", SERVICE)
    file = docker_address(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ADDRESS + "\n", encoding="utf-8")


def compose_down(folder: Path, home: Path) -> None:
    """Stop and remove the containers of the compose file in `folder`; data stays in its volume."""
    _compose(folder, "--profile", "*", "down")
    docker_address(home).unlink(missing_ok=True)


def compose_state(folder: Path) -> str:
    """What Docker says of the broker: `healthy`, `starting`, `exited`, …; empty without one."""
    answer = _compose(folder, "ps", "--all", "--format", "json", SERVICE, is_asked=True)
    return next((one.get("Health") or one["State"] for one in _containers(answer)), "")


def compose_wipe(folder: Path) -> None:
    """Delete the volumes of the compose file in `folder`; ConfigurationError while Kafka runs."""
    state = compose_state(folder)
    if state not in ("", "exited", "dead", "created"):
        raise ConfigurationError(
            f"found Kafka's container {state}, wanted it stopped before its data is deleted; run "
            "`streams kafka down --docker` first"
        )
    _compose(folder, "--profile", "*", "down", "--volumes")


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
