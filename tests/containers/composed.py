"""The compose file of the project, run beside whatever else runs on this machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from testcontainers.compose import DockerCompose

from streams.local.compose import COMPOSE_FILE
from streams.local.ports import free_port
from streams.local.properties import HOST
from tests.containers.images import REPOSITORY

_OVERRIDE = """
services:
  kafka:
    image: "{kafka}"
    ports: !override ["{address}:9092"]
    environment:
      KAFKA_ADVERTISED_LISTENERS: "HOST://{address},INTERNAL://kafka:19092"
  topics: {{image: "{service}", build: !reset null}}
  counters: {{image: "{service}", build: !reset null}}
"""


def with_compose(folder: Path) -> Path:
    """A DOCKER_CONFIG in which `docker compose` is the pinned one."""
    plugins = folder / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    compose = shutil.which("docker-compose", path=Path(sys.executable).parent)
    assert compose is not None
    (plugins / "docker-compose").symlink_to(compose)
    return plugins.parent


class Composed(DockerCompose):
    """Kafka and the counters service of these images; programs here reach Kafka at `address`."""

    def __init__(self, folder: Path, *, kafka: str, service: str) -> None:
        self.address = f"{HOST}:{free_port()}"
        override = folder / "override.yml"
        text = _OVERRIDE.format(kafka=kafka, service=service, address=self.address)
        override.write_text(text, encoding="utf-8")
        super().__init__(
            context=REPOSITORY,
            compose_file_name=[COMPOSE_FILE, str(override)],
            profiles=["counters"],
        )
