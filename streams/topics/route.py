"""Where records of one type go and how they are made: topic, key, partition, bytes."""

from __future__ import annotations

from streams.events.base import Message
from streams.topics.catalog import Catalog
from streams.topics.partitioner import partition_of


class Route:
    """The way of one type onto its topic; made once a type and reused. Safe from any thread."""

    __slots__ = ("_key_text", "_partition_text", "encode", "event_type", "topic")

    def __init__(self, event_type: type[Message], catalog: Catalog) -> None:
        self.event_type = event_type
        self.topic = catalog.topic_of(event_type)
        self.encode = catalog.encoder(event_type).encode
        self._key_text = catalog.key_text(event_type)
        self._partition_text = catalog.partition_text(event_type)

    def key(self, message: Message) -> bytes:
        """The record key: UTF-8 text of the key fields."""
        return self._key_text(message).encode()

    def partition(self, message: Message) -> int | None:
        """The partition where another field than the key picks it, else None: by the key."""
        if self._partition_text is None:
            return None
        return partition_of(self._partition_text(message).encode(), self.topic.partitions)

    def home(self, message: Message) -> tuple[bytes, int]:
        """The key and the partition that a record of this message must have."""
        key = self.key(message)
        partition = self.partition(message)
        return key, partition_of(key, self.topic.partitions) if partition is None else partition
