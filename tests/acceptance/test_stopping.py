"""SIGTERM under load: the orderly end, as at every deployment."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

from streams.kafka.admin import KafkaAdmin
from streams.ports.records import TopicPartition
from tests.acceptance.facts import expected_facts, found_facts
from tests.acceptance.home import COUNTERS, until
from tests.model.events import random_events
from tests.model.recount import recount

SEED = 21
PER_S = 2_000
MOST_EVENTS = 200_000
STOPS = 2
STOPPED_WITHIN_S = 10.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def open_transactions(home):
    """Partitions whose last committed record is not the last record."""
    admin = KafkaAdmin(home.kafka)
    names = [*COUNTERS, "counters.contributions", "counters.decisions", "counters.quarantine"]
    topics = admin.topics(names).values()
    places = [TopicPartition(one.name, at) for one in topics for at in range(one.partitions)]
    stable, ends = admin.ends(places), admin.ends(places, committed=False)
    return [str(place) for place in places if stable[place] != ends[place]]


def test_workers_that_are_told_to_stop_leave_nothing_open(home):
    """They commit what they have folded, within 10 s, and what comes next counts nothing twice."""
    load = [sys.executable, "-m", "tests.acceptance.load", str(SEED), str(MOST_EVENTS), str(PER_S)]
    with home.launch(load) as load:
        for _ in range(STOPS):
            with home.start("run", "counters", "--workers", "2") as service:
                until(lambda: home.has_workers(2), 60, "two workers that own partitions")
                home.pass_ends(30)
                assert 0 == service.terminate(STOPPED_WITHIN_S)
            assert 2 == len(service.said("stopped"))
            assert [] == service.said("kill")
            assert [] == open_transactions(home)
        assert 0 == load.end_input()

    home.done("run", "counters", "--workers", "2", "--until-caught-up")

    events = list(islice(random_events(SEED, MOST_EVENTS), int(load.text.split()[-1])))
    assert recount(events).by_topic() == home.counters()
    assert expected_facts(home.kafka) == found_facts(home.kafka)
