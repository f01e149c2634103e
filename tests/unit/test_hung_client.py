"""A transactional client that hangs in the middle of a commit."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from streams.clock import Deadline, Drain
from streams.errors import BrokerUnavailable, TransactionFailed
from streams.kafka import consumer, positions, transaction
from streams.kafka.consumer import KafkaConsumer
from streams.kafka.transaction import KafkaTransactions
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings, WorkerSettings

NOW = Deadline.after(0)
LONG_S = 600.0  # a test that waits for it has failed


class Hanging:
    """A client one of whose calls does not return before the test ends; `told` when it is made."""

    hangs_in = ""
    is_over = threading.Event()
    told = staticmethod(lambda: None)

    def __init__(self, _config):
        """A client takes its settings."""

    def __getattr__(self, name):
        def call(*_args):
            if name == self.hangs_in:
                self.told()
                self.is_over.wait()

        return call


@pytest.fixture
def hanging(monkeypatch):
    """The client's class; calls hang where it says."""
    Hanging.is_over.clear()
    monkeypatch.setattr(transaction, "Client", Hanging)
    monkeypatch.setattr(transaction, "_MARGIN_S", 0.05)
    yield Hanging
    Hanging.is_over.set()
    Hanging.hangs_in = ""
    Hanging.told = staticmethod(lambda: None)


def opened(transaction_timeout_s=0.05, deadline=NOW):
    return KafkaTransactions(
        KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        "bench.0",
        SimpleNamespace(transaction_timeout_s=transaction_timeout_s),  # shorter than may be set
        deadline,
    )


def test_a_commit_that_never_returns_is_a_failed_transaction(hanging):
    """Its outcome is unknown, as after any other failure, and its producer is not used again."""
    producer = opened()
    hanging.hangs_in = "commit_transaction"

    with pytest.raises(TransactionFailed, match="no return from the client"):
        producer.commit([], {}, None)
    with pytest.raises(TransactionFailed, match="was dropped"):
        producer.commit([], {}, None)


def test_an_opening_that_never_returns_is_tried_anew(hanging):
    """By whoever waits for the broker, with a new client."""
    hanging.hangs_in = "init_transactions"

    with pytest.raises(BrokerUnavailable, match="no return from the client"):
        opened()


@pytest.mark.timeout(30)
def test_a_worker_that_is_told_to_stop_leaves_a_commit_that_hangs(hanging):
    """SIGTERM comes in the middle of a call that was given far more time than there is now."""
    drain = Drain(0.05)
    producer = opened(LONG_S)
    hanging.hangs_in, hanging.told = "commit_transaction", staticmethod(drain.begin)

    with pytest.raises(TransactionFailed, match="no return from the client"):
        producer.commit([], {}, None, Deadline.after(LONG_S, drain))


@pytest.mark.timeout(30)
def test_a_worker_that_is_told_to_stop_leaves_an_opening_that_hangs(hanging, monkeypatch):
    """The recycling of a producer is part of the last commit."""
    monkeypatch.setattr(transaction, "_MARGIN_S", LONG_S)
    drain = Drain(0.05)
    hanging.hangs_in, hanging.told = "init_transactions", staticmethod(drain.begin)

    with pytest.raises(BrokerUnavailable, match="no return from the client"):
        opened(LONG_S, Deadline.after(LONG_S, drain))


@pytest.mark.timeout(30)
def test_a_consumer_whose_close_hangs_is_left_behind(hanging, monkeypatch):
    """The broker expels the member by itself; the process has to end."""
    monkeypatch.setattr(consumer, "Client", Hanging)
    hanging.hangs_in = "close"
    leaving = KafkaConsumer(KafkaSettings(bootstrap_servers="x:1"), "g", WorkerSettings())

    leaving.close(Deadline.after(0.05))

    assert not hanging.is_over.is_set()


@pytest.mark.timeout(30)
def test_positions_that_never_come_are_a_broker_that_does_not_answer(hanging, monkeypatch):
    """They decide what became of a transaction, also while a worker stops."""
    monkeypatch.setattr(positions, "Client", Hanging)
    drain = Drain(0.05)
    hanging.hangs_in, hanging.told = "committed", staticmethod(drain.begin)
    outside = positions.GroupPositions(KafkaSettings(bootstrap_servers="x:1"))

    with pytest.raises(BrokerUnavailable, match="read offsets of likes/0"):
        outside.of("g", [TopicPartition("likes", 0)], Deadline.after(LONG_S, drain))
