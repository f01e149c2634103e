"""Exactly once though workers are killed with SIGKILL, again and again, under load."""

from __future__ import annotations

import dataclasses
import secrets
import sys
from itertools import islice

import pytest

from tests.acceptance.facts import expected_facts, found_facts
from tests.acceptance.home import Home, until
from tests.acceptance.siege import Siege, tap_of
from tests.model.events import random_events
from tests.model.recount import recount

WORKERS = 4
PER_S = 1_200
MOST_EVENTS = 400_000

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.mark.parametrize(("protocol", "kills", "inside"), [("consumer", 20, 10), ("classic", 5, 2)])
def test_killed_workers_change_nothing(home, protocol, kills, inside):
    """A kill may fall anywhere, also between begin and commit; `siege` tells how that is proven.

    Each is made good, and nothing in the log tells afterwards that there were any.
    """
    seed = secrets.randbelow(1_000_000)
    print(f"seed {seed}")
    home = dataclasses.replace(
        home, settings={"STREAMS_CHECKPOINT_INTERVAL_S": "2", "STREAMS_GROUP_PROTOCOL": protocol}
    )

    siege, sent = besieged(home, seed, kills=kills, inside=inside)

    events = list(islice(random_events(seed, MOST_EVENTS), sent))
    assert kills <= len(siege.kills)
    assert inside <= len(siege.inside_transactions())
    assert recount(events).by_topic() == home.counters()
    assert expected_facts(home.kafka) == found_facts(home.kafka)


def besieged(home: Home, seed: int, *, kills: int, inside: int) -> tuple[Siege, int]:
    """The siege when it is over and all is counted, and how many events were emitted in it."""
    load = [sys.executable, "-m", "tests.acceptance.load", str(seed), str(MOST_EVENTS), str(PER_S)]
    with (
        home.start("run", "counters", "--workers", str(WORKERS)) as service,
        home.launch(load) as load,
        tap_of(home) as tap,
    ):
        until(lambda: home.has_workers(WORKERS), 60, "all workers own partitions")
        siege = Siege(home, service, tap, seed)
        while len(siege.kills) < kills or len(siege.inside_transactions()) < inside:
            siege.round()
        assert 0 == load.end_input()
        home.catch_up()
        print(siege.summary)
    return siege, int(load.text.split()[-1])
