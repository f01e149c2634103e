"""Messages of the client as columns: one run of one partition, without an object a record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from confluent_kafka import Message

from streams.kafka.message import offset_of, partition_of, record_of, topic_of
from streams.ports.records import Record, TopicPartition


class MessageBatch:
    """Consecutive messages of one partition. Implements the `Batch` port."""

    __slots__ = ("_messages", "_offsets", "_values", "source")

    def __init__(self, source: TopicPartition, messages: Sequence[Message]) -> None:
        self.source = source
        self._messages = messages
        self._offsets: Sequence[int] | None = None
        self._values: Sequence[bytes | None] | None = None

    @property
    def offsets(self) -> Sequence[int]:
        """Strictly increasing; a range when the log has no gap here."""
        if self._offsets is None:
            first, last = offset_of(self._messages[0]), offset_of(self._messages[-1])
            if last - first + 1 == len(self._messages):
                self._offsets = range(first, last + 1)
            else:
                self._offsets = list(map(offset_of, self._messages))
        return self._offsets

    @property
    def values(self) -> Sequence[bytes | None]:
        """Payloads, one an offset."""
        if self._values is None:
            self._values = list(map(Message.value, self._messages))
        return self._values

    def record(self, index: int) -> Record:
        """The whole record at `index`."""
        return record_of(self.source, self._messages[index])


def runs(
    messages: Iterable[Message], topics: Collection[str]
) -> Iterator[tuple[str, int, list[Message]]]:
    """(topic, partition, messages) for each stretch of one partition, in the order they came.

    With one subscribed topic the messages are not asked for theirs: half the cost.
    """
    if len(topics) == 1:
        (topic,) = topics
        for partition, run in groupby(messages, partition_of):
            yield topic, partition, list(run)
        return
    for topic, of_topic in groupby(messages, topic_of):
        yield from runs(of_topic, (topic,))
