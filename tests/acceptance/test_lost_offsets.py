"""A group whose committed offsets were deleted, expired, or moved by another tool."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.sdk import EventClient
from tests.acceptance.facts import expected_facts, found_facts
from tests.model.events import random_events
from tests.model.recount import recount

SEED = 11
COUNT = 6_000

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def delete_group(home):
    """As an operator does, or the broker when offsets expire."""
    client = AdminClient({"bootstrap.servers": home.kafka.bootstrap_servers})
    for future in client.delete_consumer_groups([f"{home.kafka.namespace}counters"]).values():
        future.result(30)


def move_to_the_start(home):
    """As a reset by Kafka's own tools: every event would be counted again."""
    client = AdminClient({"bootstrap.servers": home.kafka.bootstrap_servers})
    places = [TopicPartition(f"{home.kafka.namespace}social.photos", at, 0) for at in range(4)]
    wanted = ConsumerGroupTopicPartitions(f"{home.kafka.namespace}counters", places)
    for future in client.alter_consumer_group_offsets([wanted]).values():
        future.result(30)


@pytest.mark.parametrize(("lose", "has_state"), [(delete_group, False), (move_to_the_start, True)])
def test_a_service_stops_until_its_offsets_are_restored(home, lose, has_state):
    """A missing offset read as 0, or a moved one believed, would count every like twice.

    What was published tells where to go on, with the local state or on another machine.
    """
    events = list(random_events(SEED, COUNT))
    half = COUNT // 2
    with EventClient(home.kafka) as client:
        client.emit_many(events[:half])
    home = dataclasses.replace(home, settings={"STREAMS_CHECKPOINT_INTERVAL_S": "0.5"})
    home.done("run", "counters", "--until-caught-up")
    lose(home)
    if not has_state:
        shutil.rmtree(home.folder / home.kafka.namespace.rstrip("."))
    with EventClient(home.kafka) as client:
        client.emit_many(events[half:])

    stopped = home.streams("run", "counters", "--workers", "2", timeout_s=30)
    restored = home.done("offsets", "restore", "counters", "--json")
    home.done("run", "counters", "--workers", "2", "--until-caught-up")

    assert 1 == stopped.returncode
    assert "streams offsets restore counters" in stopped.stdout + stopped.stderr
    rows = [json.loads(line) for line in restored.splitlines()]
    assert [(0, True)] == [
        (row["partition"], row["found"] != row["wanted"])
        for row in rows
        if (row["topic"], row["partition"]) == ("social.photos", 0)
    ]
    assert recount(events).by_topic() == home.counters()
    assert expected_facts(home.kafka) == found_facts(home.kafka)
