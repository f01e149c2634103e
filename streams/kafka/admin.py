"""Questions about topics and groups, and the making of topics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
)
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import (  # type: ignore[attr-defined] # some are not in __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
)

from streams.clock import Deadline
from streams.errors import StreamsError
from streams.kafka import faults
from streams.kafka.config import base_config, bootstrap_servers, logical, physical
from streams.kafka.describe import topic_settings
from streams.ports.records import Committed, TopicPartition
from streams.settings import KafkaSettings

_TIMEOUT_S = 10.0

_SETTLING = frozenset(
    {
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
"""Codes of a partition whose leader is not known everywhere yet."""


@dataclass(frozen=True, slots=True)
class Described:
    """A topic as the broker has it. Implements the `TopicInfo` port."""

    name: str
    topic_id: str
    partitions: int


class KafkaAdmin:
    """Implements the `LogAdmin` port. Safe from any thread."""

    def __init__(self, settings: KafkaSettings, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._client = AdminClient(base_config(settings))

    def topics(self, names: Collection[str]) -> Mapping[str, Described]:
        """The named topics that exist, by logical name."""
        if not names:
            return {}
        collection = TopicCollection([physical(self._settings, name) for name in names])
        found = {}
        futures = self._client.describe_topics(collection, request_timeout=self._timeout_s)
        for name, future in futures.items():
            try:
                described = self._result(future, "describe topics")
            except StreamsError as exc:
                if _code(exc) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    continue
                raise
            own = logical(self._settings, name)
            found[own] = Described(own, str(described.topic_id), len(described.partitions))
        return found

    def names(self) -> list[str]:
        """Logical names of all topics in this namespace, without Kafka's own."""
        try:
            found = self._client.list_topics(timeout=self._timeout_s).topics
        except KafkaException as exc:
            raise self._translated(faults.error_of(exc), "list topics") from exc
        prefix = self._settings.namespace
        return sorted(
            logical(self._settings, name)
            for name in found
            if name.startswith(prefix) and not name.startswith("__")
        )

    def create_topic(
        self, name: str, partitions: int, config: Mapping[str, str], *, replication: int = -1
    ) -> None:
        """Make a topic; StreamsError when it exists or the broker refuses."""
        new = NewTopic(physical(self._settings, name), partitions, replication, config=dict(config))
        for future in self._client.create_topics([new], operation_timeout=self._timeout_s).values():
            self._result(future, f"create the topic {name}")

    def topic_configs(self, names: Collection[str]) -> dict[str, dict[str, str]]:
        """Settings such as `cleanup.policy` of existing topics; nothing for those out of sight."""
        return topic_settings(self._settings, names, timeout_s=self._timeout_s)

    def set_topic_config(self, name: str, config: Mapping[str, str]) -> None:
        """Change some settings of a topic, leaving the others as they are."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in config.items()
        ]
        resource = ConfigResource(
            ConfigResource.Type.TOPIC, physical(self._settings, name), incremental_configs=entries
        )
        futures = self._client.incremental_alter_configs(
            [resource], request_timeout=self._timeout_s
        )
        for future in futures.values():
            self._result(future, f"change settings of the topic {name}")

    def starts(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset still in each log."""
        return self._offsets(partitions, OffsetSpec.earliest(), IsolationLevel.READ_COMMITTED)

    def ends(
        self, partitions: Collection[TopicPartition], *, committed: bool = True
    ) -> dict[TopicPartition, int]:
        """The end of each log: past the last committed record (and markers), or past any record."""
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        return self._offsets(partitions, OffsetSpec.latest(), level)

    def group_positions(
        self, group: str, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, Committed | None]:
        """Committed positions of a group, seen from outside."""
        wanted = ConsumerGroupTopicPartitions(
            physical(self._settings, group), [self._place(one) for one in partitions]
        )
        futures = self._client.list_consumer_group_offsets(
            [wanted], require_stable=True, request_timeout=self._timeout_s
        )
        found: dict[TopicPartition, Committed | None] = dict.fromkeys(partitions)
        for future in futures.values():
            try:
                answer = self._result(future, f"read the offsets of the group {group}")
            except StreamsError as exc:
                if _code(exc) == KafkaError.GROUP_ID_NOT_FOUND:
                    return found
                raise
            for place in answer.topic_partitions:
                if place.offset >= 0:
                    source = TopicPartition(logical(self._settings, place.topic), place.partition)
                    found[source] = Committed(place.offset, place.metadata or "")
        return found

    def close(self) -> None:
        """Nothing to release: the client goes with its last reference."""

    def _offsets(
        self, partitions: Collection[TopicPartition], spec: OffsetSpec, level: IsolationLevel
    ) -> dict[TopicPartition, int]:
        """Asks again while leaders settle: right after a topic was made, or a broker left."""
        deadline = Deadline.after(self._timeout_s)
        while partitions:
            try:
                return self._offsets_now(partitions, spec, level)
            except StreamsError as exc:
                if deadline.is_over or _code(exc) not in _SETTLING:
                    raise
        return {}

    def _offsets_now(
        self, partitions: Collection[TopicPartition], spec: OffsetSpec, level: IsolationLevel
    ) -> dict[TopicPartition, int]:
        asked = {self._place(one): spec for one in partitions}
        futures = self._client.list_offsets(
            asked, isolation_level=level, request_timeout=self._timeout_s
        )
        return {
            TopicPartition(logical(self._settings, place.topic), place.partition): int(
                self._result(future, f"read offsets of {place.topic}").offset
            )
            for place, future in futures.items()
        }

    def _result(self, future: Future[Any], doing: str) -> Any:
        try:
            return future.result(timeout=self._timeout_s + 5)
        except KafkaException as exc:
            raise self._translated(faults.error_of(exc), doing) from exc

    def _translated(self, error: KafkaError, doing: str) -> StreamsError:
        return faults.translated(error, doing, bootstrap_servers(self._settings))

    def _place(self, partition: TopicPartition) -> Place:
        return Place(physical(self._settings, partition.topic), partition.partition)


def all_partitions(topics: Iterable[Described]) -> list[TopicPartition]:
    """Every partition of the given topics."""
    return [TopicPartition(one.name, number) for one in topics for number in range(one.partitions)]


def _code(exc: StreamsError) -> int | None:
    cause = exc.__cause__
    return faults.error_of(cause).code() if isinstance(cause, KafkaException) else None
