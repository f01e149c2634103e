"""A member of a consumer group: committed records only, positions kept by the engine.

Not obvious: librdkafka runs the rebalance callbacks inside `consume`, between records it has
already taken out. Records of a partition that left during a call are dropped, and one that left
and came back in the same call starts again, so that no old record passes for a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as Place

from streams.clock import Deadline
from streams.errors import (
    PositionGone,
    StreamsError,
    TopicGone,
    WorkerStopped,
)
from streams.kafka import faults
from streams.kafka.batch import MessageBatch, runs
from streams.kafka.bounded import within
from streams.kafka.client import new_client
from streams.kafka.config import READING, base_config, logical, physical
from streams.kafka.error_log import ErrorLog
from streams.kafka.message import offset_of, partition_of, topic_of
from streams.kafka.positions import committed_positions
from streams.kafka.presence import Presence
from streams.logs import get_logger
from streams.ports.log import RebalanceListener
from streams.ports.records import Batch, Committed, Polled, TopicPartition
from streams.settings import KafkaSettings, WorkerSettings

_CLOSE_S = 10.0
"""The client waits 5 s for an answer of its coordinator."""

_GENERATION_AT = len(b"CGMDv2:")
_GROUP_AT = _GENERATION_AT + 4
_NOT_FETCHING_YET = frozenset({KafkaError._STATE, KafkaError._PREV_IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Member:
    """Membership as the client describes it: opaque bytes, and the generation inside them."""

    metadata: bytes

    @property
    def generation(self) -> int:
        """Generation (classic) or member epoch (KIP-848); -1 before the first join."""
        number = self.metadata[_GENERATION_AT:_GROUP_AT]
        return int.from_bytes(number, "little", signed=True)

    @property
    def group(self) -> str:
        """The group's name on the broker."""
        return self.metadata[_GROUP_AT:].split(b"\0", 1)[0].decode()


class KafkaConsumer:
    """Implements the `Consumer` port on librdkafka. Owned by the worker's thread."""

    def __init__(self, settings: KafkaSettings, group: str, worker: WorkerSettings) -> None:
        self._settings = settings
        self._is_classic = worker.group_protocol == "classic"
        self._log = get_logger(group=group)
        self._client = new_client(
            Client,
            _config(settings, group, worker)
            | {"error_cb": ErrorLog("consumer-error", group=group)},
        )
        self._names: dict[str, str] = {}
        self._listener: RebalanceListener | None = None
        self._failure: BaseException | None = None
        self._owned: set[TopicPartition] = set()
        self._gone: set[TopicPartition] = set()
        self._came: dict[TopicPartition, int] = {}
        self._restarts: dict[TopicPartition, int] = {}
        self._presence = Presence(self._client)

    def subscribe(self, topics: Collection[str], listener: RebalanceListener) -> None:
        """Join the group."""
        self._listener = listener
        self._names = {physical(self._settings, topic): topic for topic in topics}
        self._client.subscribe(
            list(self._names),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        """Records and ends of at most `timeout_s`; runs the listener's callbacks."""
        self._gone.clear()
        self._came.clear()
        try:
            messages = self._client.consume(max_records, timeout_s)
        except KafkaException as exc:
            self._raise_failure()
            raise self._stopping(faults.error_of(exc), None) from exc
        self._raise_failure()
        if not messages and self._names:
            self._check_topics()
        return self._polled(messages)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read an assigned partition from `offset`; earlier fetched records are dropped."""
        try:
            self._client.seek(self._place(partition, offset))
        except KafkaException as exc:
            raise self._translated(faults.error_of(exc), f"seek {partition}") from exc
        self._restarts.pop(partition, None)

    def committed(
        self, partitions: Collection[TopicPartition], deadline: Deadline
    ) -> dict[TopicPartition, Committed | None]:
        """Stable committed positions; waits for open transactions until the deadline."""
        return committed_positions(self._client, self._settings, partitions, deadline)

    def member(self) -> Member:
        """The membership as it is now."""
        return Member(self._client.consumer_group_metadata())

    def close(self, deadline: Deadline | None = None) -> None:
        """Leave the group; the listener hears of its partitions once more.

        A broker that does not answer is not waited for: it expels the member by itself.
        """
        deadline = deadline or Deadline.after(_CLOSE_S)
        try:
            within(deadline, self._client.close)
        except TimeoutError as exc:
            self._log.warning("left without an answer", action="leave-unanswered", error=str(exc))
        self._raise_failure()

    def _polled(self, messages: list[Message]) -> Polled:
        ends: dict[TopicPartition, int] = {}
        if any(map(Message.error, messages)):
            ends = self._ends(messages)
            messages = [message for message in messages if message.error() is None]
        batches: list[Batch] = [
            MessageBatch(TopicPartition(self._names[topic], number), run)
            for topic, number, run in runs(messages, self._names)
        ]
        for batch in batches if ends else ():
            if ends.get(batch.source, batch.offsets[-1] + 1) <= batch.offsets[-1]:
                del ends[batch.source]  # more came after the end was reached
        is_settled = not (self._gone or self._restarts)
        return Polled(batches, ends) if is_settled else self._settled(batches, ends)

    def _settled(self, batches: list[Batch], ends: dict[TopicPartition, int]) -> Polled:
        """Without what may be from before a partition left; one that is back starts again."""
        stale = self._gone | self._restarts.keys()
        dropped = {batch.source for batch in batches} | ends.keys()
        for partition in dropped & self._gone & self._came.keys():
            self._restarts[partition] = self._came[partition]
        self._restart()
        return Polled(
            [batch for batch in batches if batch.source not in stale],
            {partition: end for partition, end in ends.items() if partition not in stale},
        )

    def _restart(self) -> None:
        for partition, start in list(self._restarts.items()):
            try:
                self._client.seek(self._place(partition, start))
            except KafkaException as exc:
                error = faults.error_of(exc)
                if error.code() not in _NOT_FETCHING_YET:
                    raise self._translated(error, f"restart {partition}") from exc
            else:
                del self._restarts[partition]

    def _check_topics(self) -> None:
        """A group with KIP-848 is silent about topics that do not exist, or no longer."""
        owned = {partition.topic for partition in self._owned}
        gone = self._presence.missing([n for n, topic in self._names.items() if topic not in owned])
        if gone:
            raise TopicGone(f"the topic {self._names[gone]} does not exist, or no longer")

    def _ends(self, messages: list[Message]) -> dict[TopicPartition, int]:
        """Ends that were reached; raises for an error that needs a human."""
        ends = {}
        for message in messages:
            error = message.error()
            if error is None:
                continue
            if error.code() == KafkaError._PARTITION_EOF:
                ends[self._named(message)] = offset_of(message)
            elif error.code() not in faults.HARMLESS and not self._is_of_gone(message):
                raise self._stopping(error, message)
        return ends

    def _is_of_gone(self, message: Message) -> bool:
        return message.topic() is not None and self._named(message) in self._gone

    def _stopping(self, error: KafkaError, message: Message | None) -> StreamsError:
        named = message is not None and message.topic() is not None
        where = str(self._named(message)) if message is not None and named else "the assignment"
        if faults.is_out_of_range(error):
            return PositionGone(
                f"{where}: the log does not hold the position to read from ({error.str()})"
            )
        if faults.is_gone(error):
            return TopicGone(f"{where}: the topic is gone ({error.str()})")
        return WorkerStopped(f"{where}: {error.str()} ({error.name()}); restart the worker")

    def _on_assign(self, client: Client, places: list[Place]) -> None:
        def assign() -> None:
            assert self._listener is not None  # noqa: S101 subscribe() sets it before the group exists
            partitions = [self._partition(place) for place in places]
            starts = self._listener.assigned(partitions) if partitions else {}
            self._owned.update(partitions)
            self._came.update(starts)
            positions = [self._place(partition, offset) for partition, offset in starts.items()]
            (client.assign if self._is_classic else client.incremental_assign)(positions)

        self._guarded(assign)

    def _on_revoke(self, client: Client, places: list[Place]) -> None:
        self._leave(client, places, "revoked")

    def _on_lost(self, client: Client, places: list[Place]) -> None:
        self._leave(client, places, "lost")

    def _leave(self, client: Client, places: list[Place], how: str) -> None:
        def leave() -> None:
            partitions = [self._partition(place) for place in places]
            self._gone.update(partitions)
            self._owned.difference_update(partitions)
            for partition in partitions:
                self._came.pop(partition, None)
                self._restarts.pop(partition, None)
            if partitions:
                getattr(self._listener, how)(partitions)
            if self._is_classic:
                client.unassign()
            else:
                client.incremental_unassign(places)

        self._guarded(leave)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run a callback's body; the first failure is raised by `poll`, not inside librdkafka."""
        try:
            step()
        except BaseException as exc:
            self._failure = self._failure or exc

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _translated(self, error: KafkaError, doing: str) -> StreamsError:
        return faults.translated(error, doing, self._settings)

    def _place(self, partition: TopicPartition, offset: int | None = None) -> Place:
        name = physical(self._settings, partition.topic)
        return (
            Place(name, partition.partition)
            if offset is None
            else Place(name, partition.partition, offset)
        )

    def _partition(self, place: Place) -> TopicPartition:
        return TopicPartition(logical(self._settings, place.topic), place.partition)

    def _named(self, message: Message) -> TopicPartition:
        return TopicPartition(self._names[topic_of(message)], partition_of(message))


def _config(settings: KafkaSettings, group: str, worker: WorkerSettings) -> dict[str, Any]:
    tuning = {
        "fetch.wait.max.ms": 50,
        "fetch.max.bytes": 52_428_800,
        "max.partition.fetch.bytes": 4_194_304,
        "queued.min.messages": 200_000,
        "topic.metadata.refresh.interval.ms": 10_000,
    }
    must = {
        "group.id": physical(settings, group),
        "isolation.level": "read_committed",
        **READING,
        "queued.max.messages.kbytes": worker.prefetch_kbytes,
        "max.poll.interval.ms": 300_000,
    }
    config = tuning | base_config(settings) | must
    if worker.group_protocol == "consumer":
        return config | {"group.protocol": "consumer", "group.remote.assignor": "range"}
    return config | {
        "group.protocol": "classic",
        "partition.assignment.strategy": "range",
        "session.timeout.ms": int(worker.session_timeout_s * 1_000),
        "heartbeat.interval.ms": int(worker.session_timeout_s * 1_000 / 6),
    }
