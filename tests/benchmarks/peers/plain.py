# /// script
# requires-python = ">=3.11"
# dependencies = ["confluent-kafka==2.16.0", "fastavro==1.13.1"]
# ///
"""By hand: confluent-kafka 2.16.0 and fastavro 1.13.1, a dictionary, and transactions.

What a careful user writes who wants no framework. Exactly once while it lives; its state is in
memory only and would be gone after a crash.

Settings: `commit_interval_ms` (200), `backoff_ms` (librdkafka's `fetch.queue.backoff.ms`; null
leaves its default of 1000, and 5 is tuned).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from time import monotonic

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from fastavro import schemaless_reader
from job import Job, ResultEncoder, ended, started

BATCH = 20_000
WAIT_S = 0.02


class Likes:
    """The users who like each photo."""

    def __init__(self) -> None:
        self._users: dict[int, set[int]] = {}

    def fold(self, events: Iterator[tuple[bool, dict]], changed: set[int]) -> None:
        """Take the events in, and note whose count changed."""
        for is_like, event in events:
            photo_id, user_id = event["photo_id"], event["user_id"]
            users = self._users.get(photo_id)
            if users is None:
                users = self._users[photo_id] = set()
            if is_like != (user_id in users):
                (users.add if is_like else users.remove)(user_id)
                changed.add(photo_id)

    def total(self, photo_id: int) -> int:
        return len(self._users[photo_id])


class Records:
    """The number of records of each photo."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def fold(self, events: Iterator[tuple[bool, dict]], changed: set[int]) -> None:
        """Take the events in, and note whose count changed."""
        for _, event in events:
            photo_id = event["photo_id"]
            self._counts[photo_id] = self._counts.get(photo_id, 0) + 1
            changed.add(photo_id)

    def total(self, photo_id: int) -> int:
        return self._counts[photo_id]


class Program:
    """Reads, folds and commits until every record is committed."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kinds = job.kinds()
        self._results = ResultEncoder(job)
        self._state = Likes() if job.job == "members" else Records()
        self._consumer = Consumer(_consumer_config(job))
        self._producer = Producer(_producer_config(job))
        self._seen = 0
        self._positions: dict[int, int] = {}

    def run(self) -> None:
        self._producer.init_transactions()
        self._consumer.subscribe([self._job.source])
        while self._seen < self._job.events:
            self._producer.begin_transaction()
            self._commit(self._fold())
        ended(outputs=self._results.outputs)
        self._consumer.close()

    def _fold(self) -> set[int]:
        """The photos whose count changed until the next commit is due."""
        changed: set[int] = set()
        due_s = monotonic() + self._job.settings["commit_interval_ms"] / 1_000
        while self._seen < self._job.events and monotonic() < due_s:
            messages = self._consumer.consume(BATCH, WAIT_S)
            if messages and not self._seen:
                started()
            self._state.fold(self._events(messages), changed)
            self._seen += len(messages)
        return changed

    def _events(self, messages: list[Message]) -> Iterator[tuple[bool, dict]]:
        kinds, positions = self._kinds, self._positions
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            value = message.value()
            schema, is_like = kinds[value[:5]]
            positions[message.partition()] = message.offset() + 1
            yield is_like, schemaless_reader(BytesIO(value[5:]), schema)

    def _commit(self, changed: set[int]) -> None:
        total, encode = self._state.total, self._results.encode
        for photo_id in changed:
            value = encode(photo_id, total(photo_id))
            self._produce(b"%d" % photo_id, value)
        if self._positions:
            offsets = [TopicPartition(self._job.source, *at) for at in self._positions.items()]
            self._producer.send_offsets_to_transaction(
                offsets, self._consumer.consumer_group_metadata()
            )
            self._positions.clear()
        self._producer.commit_transaction()

    def _produce(self, key: bytes, value: bytes) -> None:
        """Queue a record; a full queue is waited for."""
        produce: Callable[..., None] = self._producer.produce
        while True:
            try:
                produce(self._job.into, value, key)
                break
            except BufferError:
                self._producer.poll(WAIT_S)


def _consumer_config(job: Job) -> dict:
    backoff_ms = job.settings["backoff_ms"]
    tuned = {} if backoff_ms is None else {"fetch.queue.backoff.ms": backoff_ms}
    return {
        "bootstrap.servers": job.bootstrap,
        "group.id": job.group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
    } | tuned


def _producer_config(job: Job) -> dict:
    return {
        "bootstrap.servers": job.bootstrap,
        "transactional.id": job.group,
        "linger.ms": 5,
        "compression.type": "lz4",
        "partitioner": "murmur2_random",
    }


if __name__ == "__main__":
    settings = {"commit_interval_ms": 200, "backoff_ms": None}
    Program(Job.from_command_line("members", "count", settings=settings)).run()
