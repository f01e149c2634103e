"""The Docker engine that tests use, if there is one."""

from __future__ import annotations

import docker
from docker.errors import DockerException

_TIMEOUT_S = 600  # of one answer; to build an image takes its time


def find_engine() -> docker.DockerClient | str:
    """A client of the engine of DOCKER_HOST or of this machine, else why there is none."""
    try:
        client = docker.from_env(timeout=_TIMEOUT_S)
        client.ping()
    except DockerException as exc:
        return f"no Docker engine answers ({exc})"
    return client
