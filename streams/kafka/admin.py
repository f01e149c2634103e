"""Questions about topics and groups, and the making of topics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

from confluent_kafka import (
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
from streams.kafka.client import new_client
from streams.kafka.config import admin_config, logical, physical
from streams.kafka.describe import topic_settings
from streams.kafka.existence import check_exist
from streams.kafka.positions import GroupPositions
from streams.ports.records import Committed, TopicPartition
from streams.settings import KafkaSettings

_TIMEOUT_S = 6.0
_PAUSE_S = 0.02
_Answer = TypeVar("_Answer")
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call] # it has no hints
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call] # it has no hints

_ASKED_AGAIN = faults.SETTLING | {KafkaError._NOENT}
"""Codes that pass by themselves; the last says that the client has not heard of the topic."""


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
        # A connection on which a question was lost is given up with it: the next gets its answer.
        patience = {"socket.timeout.ms": int(timeout_s * 1_000)}
        self._client = new_client(AdminClient, admin_config(settings) | patience)
        self._groups = GroupPositions(settings)

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
        """Make a topic and wait for its leaders; StreamsError when it exists or is refused."""
        new = NewTopic(physical(self._settings, name), partitions, replication, config=dict(config))
        futures = self._client.create_topics(
            [new], operation_timeout=self._timeout_s, request_timeout=self._timeout_s
        )
        for future in futures.values():
            self._result(future, f"create the topic {name}")
        self._await_leaders(name)

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
        return self._settled(
            lambda: self._offsets(partitions, _EARLIEST, IsolationLevel.READ_COMMITTED)
        )

    def ends(
        self, partitions: Collection[TopicPartition], *, committed: bool = True
    ) -> dict[TopicPartition, int]:
        """The end of each log: past the last committed record (and markers), or past any record."""
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        return self._settled(lambda: self._offsets(partitions, _LATEST, level))

    def group_positions(
        self,
        group: str,
        partitions: Collection[TopicPartition],
        deadline: Deadline | None = None,
    ) -> dict[TopicPartition, Committed | None]:
        """Committed positions of a group, seen from outside; waits for open transactions."""
        return self._groups.of(group, partitions, deadline or Deadline.after(self._timeout_s))

    def close(self) -> None:
        """Release the connections."""
        self._groups.close()

    def _await_leaders(self, name: str) -> None:
        """Until then the client takes 3 s to answer what could be answered in 3 ms."""
        topic = physical(self._settings, name)
        deadline, pause = Deadline.after(self._timeout_s), Event()
        while not deadline.is_over:
            try:
                found = self._client.list_topics(topic, timeout=self._timeout_s).topics[topic]
            except KafkaException as exc:
                raise self._translated(faults.error_of(exc), f"describe {name}") from exc
            if found.partitions and all(one.leader >= 0 for one in found.partitions.values()):
                return
            pause.wait(_PAUSE_S)

    def _settled(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask again while leaders settle: right after a topic was made, or a broker left."""
        deadline, pause = Deadline.after(self._timeout_s), Event()
        while True:
            try:
                return ask()
            except StreamsError as exc:
                if deadline.is_over or _code(exc) not in _ASKED_AGAIN:
                    raise
            pause.wait(_PAUSE_S)

    def _offsets(
        self, partitions: Collection[TopicPartition], spec: OffsetSpec, level: IsolationLevel
    ) -> dict[TopicPartition, int]:
        if not partitions:
            return {}
        check_exist(self._client, self._settings, partitions, timeout_s=self._timeout_s)
        asked = {self._place(one): spec for one in partitions}
        futures = self._client.list_offsets(
            asked, isolation_level=level, request_timeout=self._timeout_s
        )
        return {
            TopicPartition(logical(self._settings, place.topic), place.partition): self._offset(
                future, f"read offsets of {place.topic}"
            )
            for place, future in futures.items()
        }

    def _offset(self, future: Future[Any], doing: str) -> int:
        """A broker that does not answer in time leaves -1001 here, without any error."""
        offset = int(self._result(future, doing).offset)
        if offset < 0:
            raise self._translated(KafkaError(KafkaError._TIMED_OUT), doing)
        return offset

    def _result(self, future: Future[Any], doing: str) -> Any:
        try:
            return future.result(timeout=self._timeout_s + 5)
        except KafkaException as exc:
            # The future holds it, and its traceback the future: without it no cycle keeps a client.
            raise self._translated(faults.error_of(exc), doing) from exc.with_traceback(None)
        except TimeoutError as exc:
            raise self._translated(KafkaError(KafkaError._TIMED_OUT), doing) from exc

    def _translated(self, error: KafkaError, doing: str) -> StreamsError:
        return faults.translated(error, doing, self._settings)

    def _place(self, partition: TopicPartition) -> Place:
        return Place(physical(self._settings, partition.topic), partition.partition)


def _code(exc: StreamsError) -> int | None:
    cause = exc.__cause__
    return faults.error_of(cause).code() if isinstance(cause, KafkaException) else None
