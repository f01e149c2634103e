"""Three nodes on this machine: one may go at any moment, and comes back."""

import os
import signal

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from streams.cli import main
from streams.clock import Deadline
from streams.kafka.config import base_config
from streams.kafka.reader import KafkaReader
from streams.local import LocalKafka
from streams.local.process import wait_until
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TOPIC = "social.photos"
IDS = {1, 2, 3}


@pytest.fixture
def local(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    local = LocalKafka(tmp_path)
    yield local
    local.down()


def streams(*arguments):
    run = CliRunner().invoke(main.app, arguments)
    return run.exit_code, run.stdout


def partitions(settings):
    """Of the topic, as the cluster has them."""
    return AdminClient(base_config(settings)).list_topics(TOPIC, 10).topics[TOPIC].partitions


def test_the_loss_of_a_node_stops_nobody_and_its_return_makes_three_copies_again(local):
    """Topics get three copies unasked, of which two make an acknowledgement."""
    assert streams("kafka", "up", "--nodes", "3")[0] == 0
    assert streams("topics", "apply")[0] == 0
    settings = KafkaSettings(bootstrap_servers=local.status().address)
    assert all(set(one.replicas) == IDS for one in partitions(settings).values())
    producer = Producer(base_config(settings) | {"acks": "all", "message.timeout.ms": 60_000})
    victim = local.status().nodes[1]

    os.kill(victim.pid, signal.SIGKILL)
    for partition in partitions(settings):
        producer.produce(TOPIC, b"kept", partition=partition)
    assert producer.flush(60) == 0
    places = {TopicPartition(TOPIC, partition): 0 for partition in partitions(settings)}
    kept = [record.value for record in KafkaReader(settings).read(places, Deadline.after(60))]
    verdict = streams("kafka", "status")
    up_again = streams("kafka", "up")
    has_three_copies = wait_until(
        lambda: all(set(one.isrs) == IDS for one in partitions(settings).values()),
        Deadline.after(60),
    )

    assert kept == [b"kept"] * len(places)
    assert verdict[0] == 0
    assert "2 of 3 nodes" in verdict[1]
    assert (
        f"node 2 is gone; `streams kafka up` starts it again; its log: {victim.log}" in verdict[1]
    )
    assert up_again[0] == 0
    assert has_three_copies
    assert local.status().nodes[1].address == victim.address
