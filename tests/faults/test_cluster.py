"""That the handle on three nodes does what it says: a fault that does nothing proves nothing."""

from __future__ import annotations

import secrets

import pytest
from confluent_kafka import Producer

from streams.clock import Deadline
from streams.kafka.admin import KafkaAdmin
from streams.kafka.transaction import KafkaTransactions
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings, WorkerSettings
from tests.faults.faults.brokers import GROUPS, TRANSACTIONS, coordinating

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def place(three):
    """A partition with a copy on each node."""
    topic = f"t{secrets.token_hex(4)}"
    KafkaAdmin(KafkaSettings(bootstrap_servers=three.address)).create_topic(topic, 1, {})
    return TopicPartition(topic, 0)


def send(cluster, place, value):
    """Whether two nodes have it."""
    producer = Producer(
        {"bootstrap.servers": cluster.address, "acks": "all", "message.timeout.ms": 60_000}
    )
    producer.produce(place.topic, value, partition=place.partition)
    return producer.flush(60) == 0


def test_a_leader_is_moved_where_it_is_wanted(three, place):
    """By the cluster's own word, and writing goes on."""
    others = [node for node in range(3) if node != three.leader(place)]

    led = []
    for node in others:
        three.move_leader(place, node)
        led.append(three.leader(place))

    assert led == others
    assert send(three, place, b"after")


def test_a_coordinator_moves_with_the_partition_that_it_leads(three):
    """What moves leaders must know which partition is whose."""
    name = f"g{secrets.token_hex(4)}"
    begin_as(name, three)
    asks = {GROUPS: three.group_coordinator, TRANSACTIONS: three.transaction_coordinator}
    places = {topic: coordinating(three, topic, name) for topic in asks}
    targets = {place: (three.leader(place) + 1) % 3 for place in places.values()}

    for place, node in targets.items():
        three.move_leader(place, node)
    found = {place: ask_until(asks[topic], name, targets[place]) for topic, place in places.items()}

    assert targets == found


def test_another_node_takes_over_what_a_killed_one_led(three, place):
    """Of a partition, a group and a producer; the node comes back to where it was."""
    group = f"g{secrets.token_hex(4)}"
    begin_as(group, three)
    asks = [lambda: three.leader(place), lambda: three.group_coordinator(group)]
    asks.append(lambda: three.transaction_coordinator(group))

    for ask in asks:
        victim = ask()
        three.kill(victim)
        is_down = not three.pid(victim)
        successor = ask_until_other(ask, victim)
        is_taking = send(three, place, b"meanwhile")
        three.heal()

        assert is_down
        assert successor in {0, 1, 2} - {victim}
        assert is_taking
        assert three.pid(victim)


def begin_as(name, cluster):
    """Have coordinators for a producer and a group of that name."""
    settings = KafkaSettings(bootstrap_servers=cluster.address)
    KafkaTransactions(settings, name, WorkerSettings(), Deadline.after(30)).discard()
    cluster.group_coordinator(name)


def ask_until(ask, name, wanted):
    deadline = Deadline.after(30)
    while (found := ask(name)) != wanted and not deadline.is_over:
        deadline.pause(0.1)
    return found


def ask_until_other(ask, victim):
    deadline = Deadline.after(30)
    while (found := ask()) in {victim, -1} and not deadline.is_over:
        deadline.pause(0.1)
    return found
