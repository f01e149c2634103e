"""Where records of one type go and how they are made: topic, key, partition, bytes."""

from __future__ import annotations

from streams.events.message import Message
from streams.topics.catalog import Catalog
from streams.topics.partitioner import partition_of


class Route:
    """The way of one type onto its topic; made once a type and reused. Safe from any thread.

    `encode` gives a message's bytes and `key` its record key: plain functions, for the hot paths.
    `is_by_key` tells that the key picks the partition, and `partition` gives None for each.
    """

    __slots__ = ("_partition_bytes", "encode", "event_type", "is_by_key", "key", "topic")

    def __init__(self, event_type: type[Message], catalog: Catalog) -> None:
        self.event_type = event_type
        self.topic = catalog.topic_of(event_type)
        self.encode = catalog.encoder(event_type).encode
        self.key = catalog.key_bytes(event_type)
        self._partition_bytes = catalog.partition_bytes(event_type)
        self.is_by_key = self._partition_bytes is None

    def partition(self, message: Message) -> int | None:
        """The partition where another field than the key picks it, else None: by the key."""
        if self._partition_bytes is None:
            return None
        return partition_of(self._partition_bytes(message), self.topic.partitions)

    def home(self, message: Message) -> tuple[bytes, int]:
        """The key and the partition that a record of this message must have."""
        key = self.key(message)
        partition = self.partition(message)
        return key, partition_of(key, self.topic.partitions) if partition is None else partition
