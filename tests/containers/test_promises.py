"""The main promises against the Kafka that most people run: a container."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from itertools import islice

import pytest

from streams.sdk import EventClient
from tests.acceptance.facts import expected_facts, found_facts
from tests.acceptance.home import until
from tests.model.events import random_events
from tests.model.recount import recount

SEED = 41
COUNT = 12_000
MOST = 200_000
PER_S = 800
PATIENCE_S = 90.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_events_of_the_sdk_are_counted_exactly_once_though_a_worker_is_killed(home):
    """SDK, broker, both stages of the counters, a SIGKILL in the middle of it."""
    events = list(random_events(SEED, COUNT))
    home = dataclasses.replace(home, settings={"STREAMS_CHECKPOINT_INTERVAL_S": "1"})

    with home.start("run", "counters", "--workers", "2") as service:
        with EventClient(home.kafka) as client:
            client.emit_many(events[: COUNT // 2])
        until(lambda: home.has_workers(2), PATIENCE_S, "both workers own partitions")
        until(lambda: any(one.folded for one in home.workers()), PATIENCE_S, "a worker has folded")
        with EventClient(home.kafka) as client:
            client.emit_many(events[COUNT // 2 :])
        os.kill(home.workers()[0].pid, signal.SIGKILL)
        home.catch_up(timeout_s=PATIENCE_S)
        restarts = service.said("restart")

    assert [-signal.SIGKILL] == [line["code"] for line in restarts]
    assert recount(events).by_topic() == home.counters()
    assert expected_facts(home.kafka) == found_facts(home.kafka)


def test_events_are_counted_exactly_once_though_the_container_is_killed(home, container):
    """The SDK and the workers go through a broker that dies and comes back at its address."""
    load = [sys.executable, "-m", "tests.acceptance.load", str(SEED), str(MOST), str(PER_S)]

    with home.start("run", "counters", "--workers", "2"), home.launch(load) as load:
        until(lambda: home.has_workers(2), PATIENCE_S, "both workers own partitions")
        until(lambda: any(one.folded for one in home.workers()), PATIENCE_S, "a worker has folded")
        container.kill()
        container.restart()
        until(lambda: home.has_workers(2), PATIENCE_S, "both workers own partitions again")
        assert 0 == load.end_input()
        home.catch_up(timeout_s=PATIENCE_S)

    events = list(islice(random_events(SEED, MOST), int(load.text.split()[-1])))
    assert recount(events).by_topic() == home.counters()
    assert expected_facts(home.kafka) == found_facts(home.kafka)
