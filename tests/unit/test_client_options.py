"""KAFKA_CLIENT_OPTIONS: its values stay hidden, and what the client refuses is a wrong setting."""

import re
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from streams.cli.main import app
from streams.clock import Deadline
from streams.errors import ConfigurationError
from streams.kafka.admin import KafkaAdmin
from streams.kafka.client import new_client
from streams.kafka.config import INSTEAD, REFUSED, checked_options
from streams.kafka.consumer import KafkaConsumer
from streams.kafka.describe import describe_cluster, topic_settings
from streams.kafka.group import stranger
from streams.kafka.positions import GroupPositions
from streams.kafka.producer import KafkaProducer
from streams.kafka.reader import KafkaReader
from streams.kafka.times import offsets_at
from streams.kafka.transaction import KafkaTransactions
from streams.ports.records import TopicPartition
from streams.settings import EmitSettings, KafkaSettings, WorkerSettings, rows

ROOT = Path(__file__).parents[2]
NOW = Deadline.after(0)
PLACE = TopicPartition("t", 0)
CLIENTS = {
    "admin": KafkaAdmin,
    "consumer": lambda kafka: KafkaConsumer(kafka, "g", WorkerSettings()),
    "describe": describe_cluster,
    "group": lambda kafka: stranger(kafka, "g"),
    "positions": lambda kafka: GroupPositions(kafka).of("g", [PLACE], NOW),
    "producer": lambda kafka: KafkaProducer(kafka, EmitSettings()),
    "reader": KafkaReader,
    "times": lambda kafka: offsets_at(kafka, [PLACE], 0),
    "topics": lambda kafka: topic_settings(kafka, ["t"]),
    "transaction": lambda kafka: KafkaTransactions(kafka, "x", WorkerSettings(), NOW),
}


def with_options(options):
    """Settings with client options, and an address where no broker is."""
    return KafkaSettings(bootstrap_servers="127.0.0.1:1", client_options=options)


@pytest.mark.parametrize("tail", ["SECRETtail", "SECRETtail="])
def test_a_part_that_is_no_option_is_named_by_its_position(tail):
    """It may be the tail of a password with a semicolon in it."""
    settings = with_options(f"sasl.password=abc;{tail}")

    with pytest.raises(ConfigurationError, match="part 2 of KAFKA_CLIENT_OPTIONS has no") as caught:
        settings.options()
    assert "SECRET" not in str(caught.value)


def test_settings_do_not_show_the_options():
    """Settings end up in logs and tracebacks."""
    assert "hunter2" not in repr(with_options("sasl.password=hunter2"))


def test_options_are_read_without_the_space_around_them():
    """`acks = 1` is as refused as `acks=1`."""
    assert {"a.b": "1", "c": "x=y"} == with_options(" a.b = 1 ;; c=x=y;").options()


@pytest.mark.parametrize(
    "name",
    ["acks", "fetch.queue.backoff.ms", "max.poll.interval.ms", "transaction.timeout.ms"],
)
def test_an_option_that_the_library_sets_is_refused_without_its_value(name):
    """To override it silently would leave the user in the belief that it holds."""
    with pytest.raises(ConfigurationError, match=f"found {name} in") as caught:
        checked_options(with_options(f"{name} = hunter2"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("name", "variable"), INSTEAD.items())
def test_a_refusal_names_the_setting_that_stands_for_the_option(name, variable):
    """Whoever wants larger records has a way, and it must not be searched for."""
    with pytest.raises(ConfigurationError, match=f"set {variable} instead"):
        checked_options(with_options(f"{name}=1"))
    assert variable in {row[1] for row in rows()}


def test_the_refused_options_are_documented_one_by_one():
    """Nobody should learn of them from a refusal in production."""
    text = (ROOT / "DESIGN.md").read_text("utf-8")
    section = text.partition("### Client options that are refused\n")[2].partition("\n## ")[0]
    table, _, others = section.partition("The others have none:")

    documented = dict(re.findall(r"^\| `(.+)` \| `(.+)` \|$", table, re.MULTILINE))

    assert documented == INSTEAD
    assert set(re.findall(r"`([^`]+)`", others)) == REFUSED - INSTEAD.keys()


@pytest.mark.parametrize("use", CLIENTS.values(), ids=CLIENTS)
def test_every_client_calls_an_unknown_option_a_wrong_setting(use):
    """Else it is an internal error, and a worker starts again for ever."""
    with pytest.raises(ConfigurationError, match=r"bogus\.option"):
        use(with_options("bogus.option=1"))


@pytest.mark.parametrize(
    ("name", "value"), [("security.protocol", "hunter2"), ("oauth_cb", "hunter2")]
)
def test_a_refused_value_is_not_shown(name, value):
    """The client's own words hold it."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        new_client(AdminClient, {name: value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("options", ["linger.ms=7", "fetch.max.bytes=60000000", "batch.size=5000"])
def test_an_option_that_only_tunes_is_taken_by_every_client(options):
    """What is not refused must not be refused by one of the clients either."""
    settings = with_options(options)

    KafkaConsumer(settings, "g", WorkerSettings()).close()
    KafkaReader(settings).close()
    KafkaProducer(settings, EmitSettings())


def test_a_verb_ends_as_for_any_wrong_setting(monkeypatch):
    """Exit code 70 is for faults of the library."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("KAFKA_CLIENT_OPTIONS", "bogus.option=1")

    ended = CliRunner().invoke(app, ["get", "counters.photos", "5"])

    assert ended.exit_code == 2
    assert "bogus.option" in ended.output
