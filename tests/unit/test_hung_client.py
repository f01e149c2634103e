"""A transactional client that hangs in the middle of a commit."""

from __future__ import annotations

import threading

import pytest

from streams.clock import Deadline
from streams.errors import BrokerUnavailable, TransactionFailed
from streams.kafka import transaction
from streams.kafka.transaction import KafkaTransactions
from streams.settings import KafkaSettings, WorkerSettings


class Hanging:
    """A client one of whose calls does not return before the test ends."""

    hangs_in = ""
    is_over = threading.Event()

    def __init__(self, _config):
        self.is_purged = False

    def __getattr__(self, name):
        def call(*_args):
            if name == self.hangs_in:
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


def opened():
    return KafkaTransactions(
        KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        "bench.0",
        WorkerSettings(transaction_timeout_s=0.05),
        Deadline.after(0),
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
