"""Events of every type there is, through the SDK and the running service."""

from __future__ import annotations

import pytest

from streams.sdk import EventClient
from tests.acceptance.facts import expected_facts, found_facts
from tests.model.events import EVENT_TYPES, random_events
from tests.model.recount import recount

COUNT = 30_000
SEED = 1848

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_counters_equal_a_recount_that_knows_no_folds(home):
    """Small pools of ids make every rule meet every other: repeats, crossings, deletions."""
    events = list(random_events(SEED, COUNT))
    with EventClient(home.kafka) as client:
        client.emit_many(events)

    home.done("run", "counters", "--workers", "2", "--until-caught-up")

    assert set(EVENT_TYPES) == set(map(type, events))
    assert recount(events).by_topic() == home.counters()
    assert expected_facts(home.kafka) == found_facts(home.kafka)
