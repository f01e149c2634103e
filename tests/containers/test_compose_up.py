"""The compose file and the Dockerfile, as somebody uses them who has Docker and nothing else."""

from __future__ import annotations

import os
import shutil

import pytest

from streams.sdk import EventClient
from streams.settings import KafkaSettings
from tests.acceptance.facts import expected_facts, found_facts
from tests.acceptance.home import Home
from tests.containers.composed import Composed, with_compose
from tests.containers.images import CannotMake, service_image
from tests.model.events import random_events
from tests.model.recount import recount

SEED = 43
COUNT = 6_000
PATIENCE_S = 90.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def composed(engine, kafka_name, tmp_path, monkeypatch):
    """Not started yet; a project of its own, so that nobody's `millrace` is touched."""
    if shutil.which("docker") is None:
        pytest.skip("found no `docker` command")
    try:
        service = service_image(engine)
    except CannotMake as exc:
        pytest.skip(str(exc))
    monkeypatch.setenv("DOCKER_CONFIG", str(with_compose(tmp_path)))
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", f"test-{tmp_path.parent.name}".lower())
    return Composed(tmp_path, kafka=kafka_name, service=service)


def test_the_composed_service_counts_exactly_once_through_a_kill_and_a_new_start(
    composed, tmp_path, engine
):
    """`up --wait` to `down`: the image runs what the wheel holds, its volume keeps the state."""
    home = Home(KafkaSettings(bootstrap_servers=composed.address), tmp_path)
    events = list(random_events(SEED, COUNT))

    with composed:
        with EventClient(home.kafka) as client:
            client.emit_many(events[: COUNT // 2])
        home.catch_up(timeout_s=PATIENCE_S)
        with EventClient(home.kafka) as client:
            client.emit_many(events[COUNT // 2 :])
        engine.containers.get(composed.get_container("counters").ID).kill()
        composed.start()
        home.catch_up(timeout_s=PATIENCE_S)
        counters, facts = home.counters(), (expected_facts(home.kafka), found_facts(home.kafka))

    assert recount(events).by_topic() == counters
    assert facts[0] == facts[1]
    project = os.environ["COMPOSE_PROJECT_NAME"]
    left = {"label": f"com.docker.compose.project={project}"}
    assert [] == engine.containers.list(all=True, filters=left)
    assert [] == engine.volumes.list(filters=left)
