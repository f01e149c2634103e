"""What tests of verbs share: a name space in the environment, and a writer of transactions."""

import pytest
from confluent_kafka import Producer

from streams.kafka.admin import KafkaAdmin


@pytest.fixture
def environment(kafka, monkeypatch, tmp_path):
    """Verbs of this test use its own name space and home."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("STREAMS_NAMESPACE", kafka.namespace)
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))


@pytest.fixture
def admin(kafka):
    """Makes the topics a test needs."""
    return KafkaAdmin(kafka)


@pytest.fixture
def write(kafka):
    """Writes (topic, key, value[, headers]) in one transaction, committed unless told otherwise."""
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "transactional.id": f"{kafka.namespace}writer",
            "partitioner": "murmur2_random",
            "log_level": 2,
        }
    )
    producer.init_transactions(30)

    def write(*records, commit=True):
        producer.begin_transaction()
        for topic, key, value, *headers in records:
            name = kafka.namespace + topic
            producer.produce(name, value, key, headers=headers[0] if headers else None)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)

    return write
