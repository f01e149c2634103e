"""The log under test: in memory, and a real broker with each group protocol."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.kafka_log import KafkaLog
from tests.contract.logs import Log
from tests.contract.memory_log import MemoryLog


@pytest.fixture(
    params=[
        "memory",
        "memory, classic",
        pytest.param("consumer", marks=pytest.mark.kafka),
        pytest.param("classic", marks=pytest.mark.kafka),
    ]
)
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """An empty log; its consumers are closed when the test ends."""
    if request.param.startswith("memory"):
        yield MemoryLog("classic" if "classic" in request.param else "consumer")
        return
    with KafkaLog(request.getfixturevalue("kafka"), request.param) as real:
        yield real
