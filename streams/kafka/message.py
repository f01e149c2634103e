"""The parts of a fetched message, with the types they have: the client's own allow None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from confluent_kafka import Message

from streams.ports.records import Headers, Record, TopicPartition

topic_of: Final = cast("Callable[[Message], str]", Message.topic)
partition_of: Final = cast("Callable[[Message], int]", Message.partition)
offset_of: Final = cast("Callable[[Message], int]", Message.offset)


def record_of(source: TopicPartition, message: Message) -> Record:
    """One message as a plain value."""
    return Record(
        topic=source.topic,
        partition=source.partition,
        offset=offset_of(message),
        key=message.key(),
        value=message.value(),
        headers=cast("Headers", tuple(message.headers() or ())),
        timestamp_ms=message.timestamp()[1],
    )
