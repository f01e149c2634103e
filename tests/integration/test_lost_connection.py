"""A producer tells when a connection was lost: what was asked over it may still be on its way.

The client reconnects and asks again by itself, within milliseconds and without a word to its error
callback; so neither the time that a commit took nor any error shows that it happened.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.clock import Deadline
from streams.kafka.admin import KafkaAdmin
from streams.kafka.consumer import KafkaConsumer, Member
from streams.kafka.transaction import KafkaTransactions
from streams.ports.records import Outgoing
from streams.settings import KafkaSettings, WorkerSettings
from tests.acceptance.home import until
from tests.faults.proxy import Api, Direction, Pattern, Proxy

OUTPUT = Outgoing("likes", b"5", b"one")
WITHIN_S = 10.0

pytestmark = pytest.mark.kafka


@pytest.fixture
def proxy(kafka: KafkaSettings) -> Iterator[Proxy]:
    with Proxy(kafka.bootstrap_servers) as proxy:
        yield proxy


@pytest.fixture
def producer(kafka: KafkaSettings, proxy: Proxy) -> Iterator[KafkaTransactions]:
    """A producer that reaches the broker through the proxy."""
    KafkaAdmin(kafka).create_topic("likes", 1, {})
    behind = kafka.model_copy(update={"bootstrap_servers": proxy.bootstrap_servers})
    producer = KafkaTransactions(behind, "t", WorkerSettings(), Deadline.after(30))
    yield producer
    producer.discard()


@pytest.fixture
def member(kafka: KafkaSettings) -> Iterator[Member]:
    """One that never joined; a transaction without positions asks for no more."""
    consumer = KafkaConsumer(kafka, "g", WorkerSettings())
    yield consumer.member()
    consumer.close()


@pytest.mark.parametrize("api", [Api.ADD_PARTITIONS_TO_TXN, Api.PRODUCE, Api.END_TXN])
def test_a_connection_lost_inside_a_commit_makes_a_producer_suspicious(
    producer, proxy, member, api
):
    """Lost before the answer came: the request may as well be late as done."""
    producer.commit([OUTPUT], {}, member)
    was_suspicious = producer.is_suspicious
    lost = proxy.reset_on(Pattern(direction=Direction.ANSWER, apis={api}), most=1)

    producer.commit([OUTPUT], {}, member)

    assert 1 == len(lost.frames)
    assert not was_suspicious
    assert producer.is_suspicious


def test_a_connection_lost_between_commits_makes_a_producer_suspicious(producer, proxy, member):
    """That nothing was on its way can be told by nobody here."""
    producer.commit([OUTPUT], {}, member)

    proxy.reset()

    until(lambda: producer.is_suspicious, WITHIN_S, "a word about the lost connections")
