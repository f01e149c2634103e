"""A member that the group expelled while its broker was away, and that has not yet heard of it."""

from __future__ import annotations

from streams.clock import Drain
from streams.errors import BrokerUnavailable
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import liked


def test_the_outcome_of_a_transaction_is_not_asked_as_a_member(bench):
    """The broker answers no offset request of a member it has expelled, for as long as that does
    not poll: seen after an outage of 30 s, where each worker waited 30 s more and then died.
    """
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    worker.consumer.expire()
    worker.consumer.committed = _refuse
    bench.log.fail_next_commit(CommitFault.BEFORE)

    worker.committer.commit(worker.assignment.partitions)
    del worker.consumer.committed
    worker.drain()

    assert {"5": 1} == bench.counts()


def test_the_outcome_of_a_transaction_is_asked_until_the_broker_answers(bench):
    """It may come back and go again."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.turn()
    read, absences = worker.committer._read_positions, [1, 2]

    def read_at_last(partitions, deadline):
        if absences:
            absences.pop()
            _refuse()
        return read(partitions, deadline)

    worker.committer._read_positions = read_at_last
    worker.committer._drain = Drain(5)
    bench.log.fail_next_commit(CommitFault.AFTER)

    worker.commit()

    assert [] == absences
    assert {"5": 1} == bench.counts()


def _refuse(*_):
    raise BrokerUnavailable("no answer")
