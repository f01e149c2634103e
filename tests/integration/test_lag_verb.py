"""Lag against a real broker, where transaction markers occupy offsets."""

import json
from types import SimpleNamespace

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Place
from typer.testing import CliRunner

from streams.cli.main import app
from streams.engine.lag import measure
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader

pytestmark = pytest.mark.kafka


@pytest.fixture
def admin(kafka):
    admin = KafkaAdmin(kafka)
    admin.create_topic("t", 2, {})
    return admin


@pytest.fixture
def producer(kafka):
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "transactional.id": f"{kafka.namespace}writer",
            "log_level": 2,
        }
    )
    producer.init_transactions(30)
    return producer


def write(producer, kafka, count, partition=0):
    """As a service writes: in a transaction, whose marker takes an offset too."""
    producer.begin_transaction()
    for _ in range(count):
        producer.produce(f"{kafka.namespace}t", b"value", b"key", partition)
    producer.commit_transaction(30)


def commit(kafka, offset, partition=0):
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": f"{kafka.namespace}g",
            "enable.auto.commit": False,
            "log_level": 2,
        }
    )
    place = Place(f"{kafka.namespace}t", partition, offset)
    consumer.commit(offsets=[place], asynchronous=False)
    consumer.close()


@pytest.fixture
def lags(kafka, admin):
    reader = KafkaReader(kafka)
    yield lambda: list(measure(admin, reader, "g", ["t"]))
    reader.close()


def test_lag_falls_to_zero_though_the_end_is_a_marker(kafka, producer, lags):
    """`end − committed` never reaches 0 on a transactional topic; lag does."""
    write(producer, kafka, 3)

    never_ran = lags()
    commit(kafka, 1)
    behind = lags()
    commit(kafka, 3)
    caught_up = lags()

    assert [one.position for one in never_ran] == [None, None]
    assert [one.records > 0 for one in never_ran] == [True, False]
    assert behind[0].records < never_ran[0].records
    assert behind[0].seconds > 0
    assert (caught_up[0].position, caught_up[0].end) == (3, 4)
    assert [(one.records, one.seconds) for one in caught_up] == [(0, 0.0), (0, 0.0)]


def test_the_verb_shows_each_partition_and_the_sum(kafka, producer, admin, monkeypatch):
    """One line a partition for people and scripts, and one that sums the service."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("STREAMS_NAMESPACE", kafka.namespace)
    service = SimpleNamespace(name="g", inputs=("t",))
    monkeypatch.setattr("streams.cli.lag.load_service", lambda _name: service)
    write(producer, kafka, 3, partition=0)
    write(producer, kafka, 5, partition=1)
    commit(kafka, 4, partition=0)

    shown = CliRunner().invoke(app, ["lag", "g", "--json"])
    lines = CliRunner().invoke(app, ["lag", "g"]).stdout.splitlines()

    assert shown.exit_code == 0
    first, second, total = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (first["topic"], first["partition"], first["records"]) == ("t", 0, 0)
    assert second["records"] == 6
    assert (total["topic"], total["records"], total["seconds"]) == ("*", 6, second["seconds"])
    assert len(lines) == 4
