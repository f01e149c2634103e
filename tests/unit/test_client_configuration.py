"""What each client is configured with: exactly-once, order and speed rest on these values.

The configurations are taken where they are handed to the client, so no broker is asked.
"""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from streams.clock import Deadline
from streams.errors import ConfigurationError
from streams.kafka import consumer, positions, producer, reader, transaction
from streams.kafka.config import REFUSED
from streams.kafka.consumer import KafkaConsumer
from streams.kafka.positions import GroupPositions
from streams.kafka.producer import KafkaProducer
from streams.kafka.reader import KafkaReader
from streams.kafka.transaction import KafkaTransactions
from streams.settings import EmitSettings, KafkaSettings, WorkerSettings

KAFKA = KafkaSettings(bootstrap_servers="127.0.0.1:1", namespace="staging.")
CLASSIC = WorkerSettings(group_protocol="classic", session_timeout_s=12)
FOR_EVERY_READER = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    "check.crcs": True,
    "fetch.queue.backoff.ms": 5,
}
FOR_EVERY_PRODUCER = {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random"}
KIP_848 = {"group.protocol": "consumer", "group.remote.assignor": "range"}
RANGE = {
    "group.protocol": "classic",
    "partition.assignment.strategy": "range",
    "session.timeout.ms": 12_000,
    "heartbeat.interval.ms": 2_000,
}
NOW = Deadline.after(0)
MAKERS = {
    "consumer": lambda kafka: KafkaConsumer(kafka, "counters", WorkerSettings()),
    "classic": lambda kafka: KafkaConsumer(kafka, "counters", CLASSIC),
    "reader": KafkaReader,
    "positions": lambda kafka: GroupPositions(kafka)._client("counters"),
    "emitter": lambda kafka: KafkaProducer(kafka, EmitSettings()),
    "transactions": lambda kafka: KafkaTransactions(kafka, "counters.a1.0", WorkerSettings(), NOW),
}
PINNED = {
    "consumer": FOR_EVERY_READER | KIP_848 | {"group.id": "staging.counters"},
    "classic": FOR_EVERY_READER | RANGE | {"group.id": "staging.counters"},
    "reader": FOR_EVERY_READER,
    "positions": {
        "group.id": "staging.counters",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
    },
    "emitter": FOR_EVERY_PRODUCER,
    "transactions": FOR_EVERY_PRODUCER
    | {"transactional.id": "staging.counters.a1.0", "transaction.timeout.ms": 15_000},
}
every_client = pytest.mark.parametrize("name", MAKERS)


@pytest.fixture
def configured(monkeypatch):
    """The configuration with which `make` makes its one client."""
    made = []

    class Client:
        def __init__(self, config):
            made.append(config)

        def __getattr__(self, _name):
            return lambda *_: None

    def of(name, **options):
        text = ";".join(f"{option}={value}" for option, value in options.items())
        for module in (consumer, positions, producer, reader, transaction):
            monkeypatch.setattr(module, "Client", Client)
        MAKERS[name](KAFKA.model_copy(update={"client_options": SecretStr(text)}))
        assert 1 == len(made)
        return made.pop()

    return of


@every_client
def test_what_correctness_and_speed_rest_on_is_set(configured, name):
    """Several of these are not librdkafka's defaults, and some would only fail under faults."""
    config = configured(name)

    assert PINNED[name] == {option: config.get(option) for option in PINNED[name]}


@every_client
def test_no_client_is_a_static_member_or_anothers_transaction(configured, name):
    """A static member that was killed blocks its successor; one id is of one producer."""
    config = configured(name)

    assert "group.instance.id" not in config
    assert ("transactional.id" in config) == (name == "transactions")


def test_a_kip_848_group_is_asked_for_nothing_that_only_a_classic_one_has(configured):
    """The client refuses to start with them; there the broker decides."""
    assert not (RANGE.keys() - KIP_848.keys()) & configured("consumer").keys()


def test_a_transaction_outlives_everything_inside_it(configured):
    """Else the broker aborts it while the client still tries, and the outcome is a guess."""
    config = configured("transactions")

    assert config["message.timeout.ms"] < config["transaction.timeout.ms"]
    assert config["socket.timeout.ms"] <= config["transaction.timeout.ms"] - 100


@every_client
def test_an_option_that_a_client_pins_is_refused(name):
    """A service that ran with `enable.auto.commit` would lose records in silence."""
    assert PINNED[name].keys() <= REFUSED


@pytest.mark.parametrize("option", sorted(REFUSED))
def test_a_refused_option_reaches_no_client(configured, option):
    """Whatever its value: the wish to set it is the error."""
    for name in MAKERS:
        with pytest.raises(ConfigurationError, match=option):
            configured(name, **{option: "1"})


@every_client
def test_an_option_that_is_not_refused_is_never_overridden(configured, name):
    """Else a user believes that it holds."""
    taken = configured(name).keys() - REFUSED
    wishes = dict.fromkeys(taken, "7")

    assert wishes == {option: configured(name, **wishes)[option] for option in taken}
