"""What only a real group can do to a `KafkaConsumer`: rebalance in the middle of one call."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection

import pytest

from streams.ports.log import Consumer
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings
from tests.contract.kafka_log import KafkaLog
from tests.contract.reading import Reading

PARTITIONS = 4
LONG_CALL_S = 8.0  # a member joins and leaves again within it


class Follower(Reading):
    """A worker in small: a partition goes on where it stood, and nothing may be missing."""

    def __init__(self, consumer: Consumer) -> None:
        self.expected: Counter[TopicPartition] = Counter()
        self.gaps: list[str] = []
        super().__init__(consumer, "likes")

    def assigned(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        super().assigned(partitions)
        return {one: self.expected[one] for one in partitions}

    def follow(self, timeout_s: float) -> int:
        """Poll once; how many records were followed so far."""
        for batch in self.consumer.poll(1_000_000, timeout_s).batches:
            if batch.offsets[0] > self.expected[batch.source]:
                self.gaps.append(f"{batch.source}: {self.expected[batch.source]} is missing")
            self.expected[batch.source] = batch.offsets[-1] + 1
        return self.expected.total()


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_a_partition_that_leaves_and_returns_in_one_call_loses_nothing(
    kafka: KafkaSettings, protocol: str
):
    """Records taken out before it left, from beyond where it starts again, must not pass."""
    with KafkaLog(kafka, protocol) as log:
        log.create_topic("likes", PARTITIONS)
        follower = Follower(log.consumer("g"))
        follower.poll_until(lambda: len(follower.owned) == PARTITIONS)
        follower.calls.clear()
        is_done = threading.Event()
        writer = threading.Thread(target=_write, args=(log, is_done))
        visitor = threading.Thread(target=_join_and_leave, args=(log, is_done))
        writer.start()
        visitor.start()
        follower.follow(LONG_CALL_S)
        calls = list(follower.calls)
        is_done.set()
        visitor.join()
        writer.join()
        written = len(log.records("likes"))
        for _ in range(100):
            if follower.follow(0.2) == written:
                break

    assert calls[0] == "revoked"
    assert calls[-1] == "assigned"
    assert [] == follower.gaps
    assert written == follower.expected.total()


def _write(log: KafkaLog, is_done: threading.Event) -> None:
    number = 0
    while not is_done.is_set():
        log.append("likes", b"5", b"liked", partition=number % PARTITIONS)
        number += 1


def _join_and_leave(log: KafkaLog, is_done: threading.Event) -> None:
    visitor = Reading(log.consumer("g"), "likes")
    while not visitor.owned and not is_done.is_set():
        visitor.poll()
    visitor.consumer.close()
