"""Messages of the client as columns: one run of one partition, without an object a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from confluent_kafka import Message

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
            first, last = self._messages[0].offset(), self._messages[-1].offset()
            if last - first + 1 == len(self._messages):
                self._offsets = range(first, last + 1)
            else:
                self._offsets = list(map(Message.offset, self._messages))
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


def record_of(source: TopicPartition, message: Message) -> Record:
    """One message as a plain value."""
    return Record(
        topic=source.topic,
        partition=source.partition,
        offset=message.offset(),
        key=message.key(),
        value=message.value(),
        headers=tuple(message.headers() or ()),
        timestamp_ms=message.timestamp()[1],
    )


def runs(messages: list[Message]) -> Iterator[tuple[str, int, list[Message]]]:
    """(topic, partition, messages) for each stretch of one partition, in the order they came."""
    topics = list(map(Message.topic, messages))
    partitions = list(map(Message.partition, messages))
    if topics.count(topics[0]) == len(topics) and partitions.count(partitions[0]) == len(topics):
        yield topics[0], partitions[0], messages
        return
    start = 0
    for (topic, partition), group in groupby(zip(topics, partitions, strict=True)):
        end = start + sum(1 for _ in map(itemgetter(0), group))
        yield topic, partition, messages[start:end]
        start = end
