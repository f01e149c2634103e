"""`streams kafka … --docker`: every verb finds the containers, and wipe leaves nothing."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest

from streams.local.compose import COMPOSE_FILE, SERVICES
from streams.local.ports import is_free
from streams.settings import KafkaSettings
from tests.acceptance.home import Home
from tests.containers.composed import with_compose
from tests.containers.images import REPOSITORY

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture(params=[1, pytest.param(3, marks=pytest.mark.chaos)])
def nodes(request):
    """How many; their ports are fixed, so they must be free."""
    taken = [one for one in SERVICES[request.param].values() if not is_free(int(one.split(":")[1]))]
    if taken:
        pytest.skip(f"something listens on {', '.join(taken)}")
    return request.param


@pytest.fixture
def place(kafka_name, tmp_path, monkeypatch):
    """A folder with the compose file, whose Kafka is the image that can be had here."""
    if shutil.which("docker") is None:
        pytest.skip("found no `docker` command")
    text = (REPOSITORY / COMPOSE_FILE).read_text(encoding="utf-8")
    text = re.sub(r"image: apache/kafka:\S+", f"image: {kafka_name}", text)
    (tmp_path / COMPOSE_FILE).write_text(text, encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(with_compose(tmp_path)))
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", f"test-{tmp_path.parent.name}-verbs".lower())
    place = Home(KafkaSettings(bootstrap_servers="", namespace="docker."), tmp_path, tmp_path)
    yield place
    place.streams("kafka", "down", "--docker")
    place.streams("kafka", "wipe", "--docker", "--yes")


def test_topics_made_in_docker_stay_over_down_and_up_and_go_with_wipe(engine, place, nodes):
    """No address is set anywhere: `up --docker` writes it down for the verbs that follow."""
    place.done("kafka", "up", "--docker", "--nodes", str(nodes))
    place.done("topics", "apply")
    status = json.loads(place.done("kafka", "status", "--docker", "--json"))
    place.done("kafka", "down", "--docker")
    gone = place.streams("kafka", "status", "--docker")
    place.done("kafka", "up", "--docker", "--nodes", str(nodes))
    kept = place.streams("topics", "diff")
    place.done("kafka", "down", "--docker")
    volumes = engine.volumes.list(filters=own())
    place.done("kafka", "wipe", "--docker", "--yes")

    assert ",".join(SERVICES[nodes].values()) == status["address"]
    assert 1 == gone.returncode
    assert 0 == kept.returncode, kept.stdout
    assert nodes == len(volumes)
    assert [] == engine.volumes.list(filters=own())


def own():
    """Filters what belongs to the compose project of the test."""
    return {"label": f"com.docker.compose.project={os.environ['COMPOSE_PROJECT_NAME']}"}
