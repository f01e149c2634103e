"""A local Kafka that was killed while transactions were open."""

import os
import signal

import pytest
from confluent_kafka import Producer

from streams.clock import Deadline
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.local import LocalKafka
from streams.local.fencing import fence, is_written
from streams.local.jars import broker_jars
from streams.local.java import find_java
from streams.local.process import wait_until
from streams.ports.records import TopicPartition
from streams.settings import HomeSettings, KafkaSettings

PLACE = TopicPartition("likes", 0)

pytestmark = pytest.mark.kafka


@pytest.fixture
def local(tmp_path):
    local = LocalKafka(tmp_path)
    yield local
    local.down()


def writer(address):
    """A producer whose transactions are aborted after a second, so surely by the restart."""
    producer = Producer(
        {
            "bootstrap.servers": address,
            "transactional.id": "writer",
            "transaction.timeout.ms": 1_000,
            "socket.timeout.ms": 900,
            "message.timeout.ms": 1_000,
            "log_level": 0,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    return producer


def test_a_transaction_that_was_open_at_a_kill_is_aborted(local):
    """Kafka alone would forget its marker, and the producer's next commit would count it too."""
    address = local.up().address
    settings = KafkaSettings(bootstrap_servers=address)
    KafkaAdmin(settings).create_topic(PLACE.topic, 1, {})
    first = writer(address)
    first.produce(PLACE.topic, b"never committed")
    assert first.flush(10) == 0

    os.kill(local.status().pid, signal.SIGKILL)
    assert wait_until(lambda: not local.status().is_running, Deadline.after(30))
    local.up()
    second = writer(address)
    second.produce(PLACE.topic, b"committed")
    second.commit_transaction(30)
    admin, reader = KafkaAdmin(settings), KafkaReader(settings)
    values = [record.value for record in reader.read({PLACE: 0}, Deadline.after(30))]

    assert values == [b"committed"]
    assert admin.ends([PLACE]) == admin.ends([PLACE], committed=False)
    reader.close()


def test_what_a_killed_node_led_is_nobodys_once_it_was_fenced(local):
    """On disk: a controller says so before it writes it down, and is ended right after."""
    address = local.up().address
    KafkaAdmin(KafkaSettings(bootstrap_servers=address)).create_topic(PLACE.topic, 1, {})
    os.kill(local.status().pid, signal.SIGKILL)
    assert wait_until(lambda: not local.status().pid, Deadline.after(30))

    fence(find_java(), broker_jars(HomeSettings().downloads), local.nodes)
    words = (local.nodes[0].folder / "fencing.log").read_text()

    assert 1 == words.count("Fencing broker 1 ")
    assert is_written(local.nodes)
