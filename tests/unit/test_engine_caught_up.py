"""When a service has folded everything there is, and when it only looks so."""

from __future__ import annotations

import pytest

from schemas.counters import ActorCounted, ActorKind
from services.counters import SERVICE as COUNTERS
from streams.engine.caught_up import is_caught_up
from streams.engine.group_offsets import write_offsets
from streams.errors import TransactionFailed
from streams.ports.records import Committed, Outgoing
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import CATALOG, FACTS, Bench, home_of, liked

SOURCE = home_of(5)


def test_what_the_service_wrote_itself_counts_before_its_marker_stands_there(tmp_path):
    """The offsets may be committed already, and a run until caught up must fold its own facts."""
    bench = Bench(tmp_path, *COUNTERS.folds)
    worker = bench.worker()
    worker.drain()
    fact = ActorCounted(user_id=3, kind=ActorKind.LIKE, delta=1)
    outgoing = Outgoing(FACTS, b"3", CATALOG.encoder(ActorCounted).encode(fact))
    bench.log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        bench.log.transactions("of.another.worker").commit([outgoing], {}, None)

    while_open = bench.is_caught_up()
    bench.log.expire_transactions()
    worker.drain()

    assert not while_open
    assert bench.is_caught_up()


def test_a_position_beyond_the_end_has_not_caught_up_when_the_log_grows_to_it(bench):
    """Other records stand at those offsets, and no worker looked at them."""
    bench.worker().stop()
    note = bench.committed(SOURCE).metadata
    write_offsets(bench.service, bench.log, {SOURCE: Committed(2, note)})
    admin = bench.log.admin()

    class Growing:
        """Two events arrive while the positions are asked for."""

        topics, ends = admin.topics, admin.ends

        def group_positions(self, *asked):
            bench.emit(liked(1), liked(2))
            return admin.group_positions(*asked)

    assert not is_caught_up(bench.service, Growing())
    assert bench.is_caught_up()
