"""Records that others put into the input: in the wrong place, or in transactions."""

from __future__ import annotations

from contextlib import suppress

from streams.errors import TransactionFailed
from streams.testing.coordinator import CommitFault
from streams.testing.folders import InMemoryDisk
from tests.faults.scenarios.harm import Harm, compared, facts, rounds
from tests.unit.engine_bench import PARTITIONS, Bench, home_of, liked, outgoing


def keys_that_belong_elsewhere(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """A producer without keys, and one with another partitioner."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2), liked(3))
    worker.drain()
    foreign = (home_of(5).partition + 1) % PARTITIONS
    bench.put(liked(4), key=None, partition=foreign)
    bench.put(liked(5), partition=foreign)
    worker.drain()
    return compared(
        counts=({"5": 3}, bench.counts()),
        facts=([1, 2, 3], facts(bench)),
        quarantined=(2, len(bench.quarantined())),
    )


def a_marker_at_the_end(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """The last thing in a partition is the end of somebody's transaction."""
    return _behind_a_transaction(bench, None)


def a_marker_of_an_aborted_transaction_at_the_end(bench: Bench, _disk: InMemoryDisk) -> Harm:
    """Of which nobody ever reads a record."""
    return _behind_a_transaction(bench, CommitFault.BEFORE)


def _behind_a_transaction(bench: Bench, fault: CommitFault | None) -> Harm:
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    producer = bench.log.transactions("somebody.else")
    bench.log.fail_next_commit(fault)
    with suppress(TransactionFailed):
        producer.commit([outgoing(liked(2))], {}, None)
    bench.log.expire_transactions()
    rounds(worker)
    end = bench.log.admin().ends([home_of(5)])[home_of(5)]
    return compared(
        offset=(end, bench.committed(home_of(5)).offset), caught_up=(True, bench.is_caught_up())
    )
