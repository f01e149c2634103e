"""Whoever sets a group's positions from outside may speak another protocol than its workers."""

from __future__ import annotations

import pytest

from streams.errors import TransactionFailed
from streams.ports.records import Committed, TopicPartition
from streams.settings import KafkaSettings
from tests.contract.kafka_log import KafkaLog
from tests.contract.reading import Reading

P0 = TopicPartition("likes", 0)
PROTOCOLS = ["consumer", "classic"]


@pytest.mark.kafka
@pytest.mark.parametrize("outside", PROTOCOLS)
@pytest.mark.parametrize("inside", PROTOCOLS)
def test_positions_are_set_from_outside_only_while_nobody_works(
    kafka: KafkaSettings, inside: str, outside: str
):
    """`state reset` at another setting than the workers' must not move their positions."""
    with KafkaLog(kafka, inside) as workers, KafkaLog(kafka, outside) as operator:
        workers.create_topic("likes", 1)
        reading = Reading(workers.consumer("g"), "likes")
        reading.poll_until(lambda: bool(reading.owned))
        stranger = operator.consumer("g").member()

        with pytest.raises(TransactionFailed) as refused:
            operator.transactions("t").commit([], {P0: Committed(7)}, stranger)
        reading.consumer.close()
        operator.transactions("t").commit([], {P0: Committed(3)}, stranger)

        assert refused.value.is_stale_member
        assert {P0: Committed(3)} == operator.admin().group_positions("g", [P0])
