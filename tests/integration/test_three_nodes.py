"""Three nodes on this machine: one may go at any moment, and comes back."""

import os
import signal
import socket
import threading
from contextlib import contextmanager, suppress

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from streams.cli import main
from streams.clock import Deadline
from streams.errors import BrokerUnavailable
from streams.kafka.admin import KafkaAdmin
from streams.kafka.config import base_config
from streams.kafka.reader import KafkaReader
from streams.local import LocalKafka
from streams.local.ports import is_free
from streams.local.process import wait_until
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TOPIC = "social.photos"
IDS = {1, 2, 3}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A STREAMS_HOME whose Kafka has three nodes and the topics."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMS_HOME", str(home))
        patch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        try:
            made = streams("kafka", "up", "--nodes", "3")
            assert made[0] == 0, made
            assert streams("topics", "apply")[0] == 0
            yield home
        finally:
            LocalKafka(home).down()


@pytest.fixture
def local(home):
    return LocalKafka(home)


@pytest.fixture
def settings(local):
    return KafkaSettings(bootstrap_servers=local.status().address)


def streams(*arguments):
    run = CliRunner().invoke(main.app, arguments)
    return run.exit_code, run.output


def partitions(settings):
    """Of the topic, as the cluster has them."""
    return AdminClient(base_config(settings)).list_topics(TOPIC, 10).topics[TOPIC].partitions


def has_three_copies(settings):
    return all(set(one.isrs) == IDS for one in partitions(settings).values())


def kill(node):
    os.kill(node.pid, signal.SIGKILL)


@contextmanager
def answering_machine(address):
    """Listens where a node was and hangs up on whoever calls; yields the list of calls."""
    host, _, port = address.rpartition(":")
    calls = []

    def serve():
        with suppress(OSError):  # the listener was closed
            while True:
                caller, _ = listener.accept()
                calls.append(caller)
                caller.close()

    assert wait_until(lambda: is_free(int(port)), Deadline.after(30))
    with socket.create_server((host, int(port))) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield calls
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_the_loss_of_a_node_stops_nobody_and_its_return_makes_three_copies_again(local, settings):
    """Topics get three copies unasked, of which two make an acknowledgement."""
    assert all(set(one.replicas) == IDS for one in partitions(settings).values())
    producer = Producer(base_config(settings) | {"acks": "all", "message.timeout.ms": 60_000})
    victim = local.status().nodes[1]

    kill(victim)
    for partition in partitions(settings):
        producer.produce(TOPIC, b"kept", partition=partition)
    assert producer.flush(60) == 0
    places = {TopicPartition(TOPIC, partition): 0 for partition in partitions(settings)}
    kept = [record.value for record in KafkaReader(settings).read(places, Deadline.after(60))]
    verdict = streams("kafka", "status")
    up_again = streams("kafka", "up")

    assert kept == [b"kept"] * len(places)
    assert verdict[0] == 0
    assert "2 of 3 nodes" in verdict[1]
    assert (
        f"node 2 is gone; `streams kafka up` starts it again; its log: {victim.log}" in verdict[1]
    )
    assert up_again[0] == 0
    assert wait_until(lambda: has_three_copies(settings), Deadline.after(60))
    assert local.status().nodes[1].address == victim.address


def test_a_node_that_is_down_is_dialled_with_pauses(local, settings):
    """Without them a client takes a whole processor, and those that are left get none."""
    assert wait_until(lambda: has_three_copies(settings), Deadline.after(60))
    leader = partitions(settings)[0].leader
    victim = local.status().nodes[leader - 1]
    admin = KafkaAdmin(settings, timeout_s=2)
    admin.ends([TopicPartition(TOPIC, 0)])

    kill(victim)
    assert wait_until(lambda: not local.status().nodes[leader - 1].pid, Deadline.after(30))
    with answering_machine(victim.address) as calls, suppress(BrokerUnavailable):
        admin.ends([TopicPartition(TOPIC, 0)])
    local.up()

    assert len(calls) < 100
