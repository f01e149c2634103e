"""Tests here use a Docker engine; where there is none they are skipped, and say why."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from tests.acceptance.home import Home
from tests.containers.apache_kafka import ApacheKafka
from tests.containers.engine import find_engine
from tests.containers.images import CannotMake, kafka_image


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The Docker engine."""
    found = find_engine()
    if isinstance(found, str):
        pytest.skip(found)
    testcontainers_config.ryuk_disabled = True  # its image may not be there; fixtures clean up
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    yield found
    found.close()


@pytest.fixture(scope="session")
def kafka_name(engine: docker.DockerClient) -> str:
    """The name of a Kafka image."""
    try:
        return kafka_image(engine)
    except CannotMake as exc:
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def container(kafka_name: str) -> Iterator[ApacheKafka]:
    """A Kafka in a container that lives as long as the session."""
    with ApacheKafka(kafka_name) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def broker(container: ApacheKafka) -> str:
    """Its address, for the fixture `kafka`."""
    return container.address


@pytest.fixture
def home(kafka, tmp_path) -> Home:
    """A name space and a folder; every topic exists, nothing is in them."""
    home = Home(kafka, tmp_path)
    home.done("topics", "apply")
    return home
