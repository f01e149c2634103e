"""What a broker knows: topics, groups and transactions, behind one lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import count

from streams.errors import BrokerUnavailable, NotFound
from streams.ports.records import Committed, Outgoing, Record, TopicPartition
from streams.testing.coordinator import Coordinator, EndTxn
from streams.testing.group import ClassicGroup, ConsumerGroup, Group
from streams.testing.partition import PartitionLog, Transaction
from streams.topics.partitioner import partition_of

OnCommit = Callable[[str, Transaction], None]
"""Told of each committed transaction and its transactional id, under the log's lock."""


@dataclass(frozen=True, slots=True)
class StoredTopic:
    """A topic with its partitions' logs. Implements the `TopicInfo` port."""

    name: str
    topic_id: str
    logs: list[PartitionLog]

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self.logs)


class InMemoryBroker:
    """The state that consumers, producers, readers and admins of one log share."""

    def __init__(self, protocol: str = "consumer") -> None:
        self.lock = threading.RLock()
        self.member_ids = count(1)
        self._new_group = ClassicGroup if protocol == "classic" else ConsumerGroup
        self.coordinator = Coordinator()
        self.topics: dict[str, StoredTopic] = {}
        self.timestamp_ms = 0
        self.on_commit: OnCommit | None = None
        self._groups: dict[str, Group] = {}
        self._topic_ids = count(1)

    def create(self, name: str, partitions: int) -> None:
        """Make a topic with empty logs and an id of its own."""
        logs = [PartitionLog(TopicPartition(name, number)) for number in range(partitions)]
        self.topics[name] = StoredTopic(name, f"topic-{next(self._topic_ids)}", logs)
        self.rebalance()

    def delete(self, name: str) -> None:
        """Remove a topic with its records and every group's positions on it."""
        del self.topics[name]
        for group in self._groups.values():
            group.forget(name)
        self.rebalance()

    def rebalance(self) -> None:
        """Let every group see a change of topics."""
        for group in self._groups.values():
            group.rebalance()

    def topic(self, name: str) -> StoredTopic:
        """The topic; NotFound names those there are."""
        if name not in self.topics:
            raise NotFound(f"found topics {sorted(self.topics)}, wanted {name}")
        return self.topics[name]

    def partition(self, source: TopicPartition) -> PartitionLog:
        """The log of a partition."""
        topic = self.topics.get(source.topic)
        if topic is None or source.partition >= topic.partitions:
            found = {name: one.partitions for name, one in self.topics.items()}
            raise NotFound(f"{source}: no such partition; found topics and partitions {found}")
        return topic.logs[source.partition]

    def group(self, name: str) -> Group:
        """The group, made when it is first asked for."""
        if name not in self._groups:
            self._groups[name] = self._new_group(name, self._partition_count)
        return self._groups[name]

    def write(self, outgoing: Outgoing, transaction: Transaction | None = None) -> Record:
        """Append a record; the partition is the named one, else that of the key."""
        logs = self.topic(outgoing.topic).logs
        number = outgoing.partition
        if number is None:
            number = 0 if outgoing.key is None else partition_of(outgoing.key, len(logs))
        return logs[number].append(outgoing, self.timestamp_ms, transaction)

    def commit(self, end: EndTxn) -> None:
        """End the open transaction of an id: its records and positions count from here on."""
        transaction = self.coordinator.commit(end)
        for (group, partition), committed in transaction.positions.items():
            self.group(group).positions[partition] = committed
        if self.on_commit is not None:
            self.on_commit(end.transactional_id, transaction)

    def stable_positions(
        self, group: str, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, Committed | None]:
        """A group's committed positions; BrokerUnavailable while an open transaction holds one."""
        with self.lock:
            pending = [one for one in partitions if self.coordinator.is_pending(group, one)]
            if pending:
                raise BrokerUnavailable(f"a transaction that holds positions of {group} is open")
            return {one: self.group(group).positions.get(one) for one in partitions}

    def _partition_count(self, topic: str) -> int:
        return self.topics[topic].partitions if topic in self.topics else 0
