"""A broker that is not there yet, goes away, or freezes under running workers and emitters."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from itertools import islice

import pytest

from streams.clock import Deadline
from streams.local import LocalKafka
from streams.sdk import EventClient
from streams.settings import KafkaSettings
from tests.acceptance.facts import expected_facts, found_facts
from tests.acceptance.home import Home, until
from tests.freezing import freeze
from tests.model.events import random_events
from tests.model.recount import recount

SEED = 4
PER_S = 500
MOST_EVENTS = 200_000
DOWN_S = 30.0
FROZEN_S = 12.0
SAID_WITHIN_S = 10.0
DRAIN_S = 4.0
CLOSED_WITHIN_S = 3.0  # leaving the group, closing stores, the end of Python

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def broker(tmp_path):
    """A broker of the test's own, running, with the topics made; and a home that uses it."""
    broker = LocalKafka(tmp_path)
    try:
        home = Home(KafkaSettings(bootstrap_servers=broker.up().address), tmp_path)
        home.done("topics", "apply")
        yield broker, home
    finally:
        broker.down()
        broker.wipe()


def check(home, events):
    assert recount(events).by_topic() == home.counters()
    assert expected_facts(home.kafka) == found_facts(home.kafka)


def test_without_a_broker_a_worker_says_so_and_waits(broker):
    """It may be started before Kafka; stopping it meanwhile is no failure."""
    broker, home = broker
    events = list(random_events(SEED, 2_000))
    broker.down()
    with home.start("run", "counters") as impatient:
        until(lambda: impatient.said("waiting"), SAID_WITHIN_S, "a word about the missing broker")
        assert 0 == impatient.terminate(SAID_WITHIN_S)

    with home.start("run", "counters") as service:
        until(lambda: service.said("waiting"), SAID_WITHIN_S, "a word about the missing broker")
        broker.up()
        with EventClient(home.kafka) as client:
            client.emit_many(events)
        home.catch_up()
        assert 0 == service.terminate()

    assert home.kafka.bootstrap_servers in service.said("waiting")[0]["error"]
    assert [] == service.said("restart")
    check(home, events)


def test_an_outage_loses_nothing_and_doubles_nothing(broker):
    """Killed and away for 30 s, then frozen for 12 s, which is longer than a session.

    The emitter goes on emitting into its queue. No worker dies.
    """
    broker, home = broker
    load = [sys.executable, "-m", "tests.acceptance.load", str(SEED), str(MOST_EVENTS), str(PER_S)]
    with home.start("run", "counters", "--workers", "2") as service, home.launch(load) as load:
        until(lambda: home.has_workers(2), 60, "two workers that own partitions")
        until(lambda: home.results("counters.users"), 30, "a first result")

        os.kill(broker.status().pid, signal.SIGKILL)
        Deadline.after(DOWN_S).pause()
        broker.up()
        home.pass_ends(60)

        pid = broker.status().pid
        freeze(pid)
        Deadline.after(FROZEN_S).pause()
        os.kill(pid, signal.SIGCONT)
        home.pass_ends(60)

        assert 0 == load.end_input()
        home.catch_up()
        assert 0 == service.terminate()

    assert [] == service.said("restart")
    check(home, list(islice(random_events(SEED, MOST_EVENTS), int(load.text.split()[-1]))))


@pytest.mark.parametrize(("protocol", "frozen_s"), [("consumer", 2.0), ("classic", 0.0)])
def test_a_worker_stops_in_time_while_its_broker_is_frozen(broker, protocol, frozen_s):
    """Before or in the middle of a commit. Its successor reads what became of that.

    Far less time than a transaction has; a client left to itself takes 14 s.
    """
    broker, home = broker
    settings = {"STREAMS_DRAIN_TIMEOUT_S": str(DRAIN_S), "STREAMS_GROUP_PROTOCOL": protocol}
    home = replace(home, settings=settings)
    load = [sys.executable, "-m", "tests.acceptance.load", str(SEED), str(MOST_EVENTS), str(PER_S)]
    worker = [sys.executable, "-m", "streams.engine.process", "counters", "0"]
    with home.launch(worker) as worker, home.launch(load) as load:
        until(lambda: home.results("counters.users"), 60, "a first result")

        pid = broker.status().pid
        freeze(pid)
        try:
            Deadline.after(frozen_s).pause()
            code = worker.terminate(DRAIN_S + CLOSED_WITHIN_S)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert 0 == load.end_input()

    home.done("run", "counters", "--until-caught-up")

    assert 70 == code
    assert "goes on from what is committed" in worker.said("crashed")[0]["event"]
    check(home, list(islice(random_events(SEED, MOST_EVENTS), int(load.text.split()[-1]))))
