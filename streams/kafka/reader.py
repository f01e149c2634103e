"""Reads partitions outside any group, from given offsets to their ends as they are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as Place

from streams.clock import Deadline
from streams.errors import BrokerUnavailable, NotFound, StreamsError
from streams.kafka import faults
from streams.kafka.address import in_words
from streams.kafka.client import new_client
from streams.kafka.config import READING, base_config, physical
from streams.kafka.existence import MISSING, check_exist
from streams.kafka.message import offset_of, partition_of, record_of, topic_of
from streams.ports.records import Record, TopicPartition
from streams.settings import KafkaSettings

_CHUNK = 10_000
_WAIT_S = 0.5
_SILENCE_S = 30.0


class KafkaReader:
    """Implements the `LogReader` port. `is_committed_only` False also shows open transactions."""

    def __init__(self, settings: KafkaSettings, *, is_committed_only: bool = True) -> None:
        self._settings = settings
        self._client = new_client(Client, _config(settings, is_committed_only=is_committed_only))
        self._positions: dict[TopicPartition, int] = {}
        self._current: object = None

    def read(
        self, starts: Mapping[TopicPartition, int], deadline: Deadline | None = None
    ) -> Iterator[Record]:
        """Records from each start (0 = the oldest still there) to the end of its partition.

        Raises BrokerUnavailable when nothing arrives before the deadline, NotFound when a
        partition or the start offset does not exist.
        """
        self._positions = dict(starts)
        waiting = set(starts)
        names = self._assign(starts, deadline or Deadline.after(_SILENCE_S))
        current = self._current = object()
        try:
            while waiting:
                patience = deadline or Deadline.after(_SILENCE_S)
                for message in self._consume(patience):
                    source = TopicPartition(names[topic_of(message)], partition_of(message))
                    if self._is_record(message, source, waiting):
                        self._positions[source] = offset_of(message) + 1
                        yield record_of(source, message)
        finally:
            if self._current is current:  # else a later read or close ended this one
                self._client.unassign()

    def follow(
        self, starts: Mapping[TopicPartition, int], wait_s: float = _WAIT_S
    ) -> Iterator[Record | None]:
        """Records from each start for ever; None each time nothing came for `wait_s`."""
        self._positions = dict(starts)
        names = self._assign(starts, Deadline.after(_SILENCE_S))
        self._current = None
        while True:
            messages = self._arrived(wait_s)
            for message in messages:
                source = TopicPartition(names[topic_of(message)], partition_of(message))
                if self._is_record(message, source, set()):
                    self._positions[source] = offset_of(message) + 1
                    yield record_of(source, message)
            if not messages:
                yield None

    def position(self, partition: TopicPartition) -> int:
        """The offset after the last record, or past the markers where the end was reached."""
        return self._positions[partition]

    def close(self) -> None:
        """Release the connection."""
        self._current = None
        self._client.close()

    def _assign(self, starts: Mapping[TopicPartition, int], deadline: Deadline) -> dict[str, str]:
        """Begin to fetch; returns logical names by physical ones.

        The client would wait 30 s for a topic that does not exist, so that is asked first.
        """
        timeout_s = max(_WAIT_S, deadline.left_s)
        check_exist(self._client, self._settings, starts, timeout_s=timeout_s)
        self._client.assign([self._place(one, offset) for one, offset in starts.items()])
        return {physical(self._settings, one.topic): one.topic for one in starts}

    def _consume(self, patience: Deadline) -> list[Message]:
        while True:
            messages = self._arrived(_WAIT_S)
            if messages:
                return messages
            if patience.is_over:
                raise BrokerUnavailable(
                    f"nothing came from {in_words(self._settings)} in time; "
                    "`streams doctor` tells what is wrong"
                )

    def _arrived(self, wait_s: float) -> list[Message]:
        """What has come, at once; `consume` alone would wait for a full chunk or the whole time."""
        try:
            first = self._client.poll(wait_s)
            return [] if first is None else [first, *self._client.consume(_CHUNK, 0)]
        except KafkaException as exc:
            raise self._translated(faults.error_of(exc)) from exc

    def _is_record(
        self, message: Message, source: TopicPartition, waiting: set[TopicPartition]
    ) -> bool:
        error = message.error()
        if error is not None:
            self._note(error, message, source, waiting)
        return error is None

    def _note(
        self,
        error: KafkaError,
        message: Message,
        source: TopicPartition,
        waiting: set[TopicPartition],
    ) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            self._positions[source] = offset_of(message)
            waiting.discard(source)
        elif faults.is_out_of_range(error):
            raise NotFound(f"{source}: the log does not hold the start offset ({error.str()})")
        elif faults.is_gone(error):
            raise NotFound(MISSING.format(source))
        elif error.code() not in faults.HARMLESS:
            raise self._translated(error)

    def _translated(self, error: KafkaError) -> StreamsError:
        return faults.translated(error, "read", self._settings)

    def _place(self, partition: TopicPartition, offset: int) -> Place:
        start = offset if offset > 0 else -2  # OFFSET_BEGINNING: 0 may already be deleted
        return Place(physical(self._settings, partition.topic), partition.partition, start)


def _config(settings: KafkaSettings, *, is_committed_only: bool) -> dict[str, Any]:
    must = {
        "group.id": physical(settings, "millrace-reader"),
        "isolation.level": "read_committed" if is_committed_only else "read_uncommitted",
        **READING,
    }
    return {"fetch.wait.max.ms": 20} | base_config(settings) | must
