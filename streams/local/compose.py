"""The Kafka of `docker-compose.kafka.yml`, for those who have Docker."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from streams.errors import BrokerUnavailable, NotFound

COMPOSE_FILE = "docker-compose.kafka.yml"
SERVICE = "kafka"


def compose_up(folder: Path) -> None:
    """Start the broker of the compose file in `folder`; returns when it is healthy."""
    _compose(folder, "up", "--detach", "--wait", SERVICE)


def compose_down(folder: Path) -> None:
    """Stop and remove the containers of the compose file in `folder`; data stays in its volume."""
    _compose(folder, "--profile", "*", "down")


def _compose(folder: Path, *arguments: str) -> None:
    file = folder / COMPOSE_FILE
    if not file.is_file():
        raise NotFound(
            f"found no {COMPOSE_FILE} in {folder}; go to the folder of the project that has it, "
            "or start Kafka without Docker: `streams kafka up`"
        )
    docker = shutil.which("docker")
    if docker is None:
        raise BrokerUnavailable(
            "found no `docker` command; install Docker with its compose plugin, "
            "or start Kafka without it: `streams kafka up`"
        )
    run = subprocess.run([docker, "compose", "-f", file, *arguments], check=False)
    if run.returncode != 0:
        raise BrokerUnavailable(
            f"`docker compose {' '.join(arguments)}` ended with {run.returncode}; its output above "
            "says why (is the Docker daemon running, and the compose plugin installed?)"
        )
