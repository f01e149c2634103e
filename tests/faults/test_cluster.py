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


def test_another_node_takes_over_what_a_killed_one_led(three, place):
    """Of a partition, a group and a producer; the node comes back to where it was."""
    group = f"g{secrets.token_hex(4)}"
    KafkaTransactions(
        KafkaSettings(bootstrap_servers=three.address), group, WorkerSettings(), Deadline.after(30)
    ).discard()
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


def ask_until_other(ask, victim):
    deadline = Deadline.after(30)
    while (found := ask()) in {victim, -1} and not deadline.is_over:
        deadline.pause(0.1)
    return found
