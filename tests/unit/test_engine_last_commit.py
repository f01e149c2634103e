"""A last commit that no broker answers: nobody waits for it beyond the time to stop."""

from __future__ import annotations

import pytest

from streams.clock import Drain
from streams.errors import BrokerUnavailable, TransactionFailed
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import drain_begun, liked

GIVEN_UP = "goes on from what is committed"


@pytest.fixture
def left_alone(bench):
    """Makes a worker with an open interval, whose broker goes away in the middle of its commit."""

    def make(drain, fault):
        worker = bench.worker(drain=drain)
        bench.emit(liked(1))
        worker.turn()
        bench.log.fail_next_commit(fault)
        worker.committer._open = _no_broker
        return worker

    return make


@pytest.mark.parametrize("fault", [CommitFault.BEFORE, CommitFault.AFTER])
def test_a_worker_that_stops_leaves_the_outcome_to_the_next(bench, left_alone, fault):
    """Whether its last transaction happened or not, everything counts once."""
    worker = left_alone(drain_begun(), fault)

    with pytest.raises(TransactionFailed, match=GIVEN_UP):
        worker.stop()
    worker.crash()
    bench.log.expire_transactions()
    bench.worker().drain()

    assert {"5": 1} == bench.counts()
    assert 1 == len(bench.facts())


@pytest.mark.timeout(30)
@pytest.mark.parametrize("fault", [CommitFault.BEFORE, CommitFault.AFTER])
def test_a_revocation_does_not_wait_for_a_broker_that_is_away(bench, left_alone, fault):
    """The group waits for it, and a worker that goes on without knowing would count twice."""
    worker = left_alone(Drain(0.05), fault)

    with pytest.raises(TransactionFailed, match=GIVEN_UP):
        worker.assignment.revoked(list(worker.owned))
    worker.crash()
    bench.log.expire_transactions()
    bench.worker().drain()

    assert {"5": 1} == bench.counts()
    assert 1 == len(bench.facts())


def _no_broker(_deadline):
    raise BrokerUnavailable("no broker")
