"""One transactional producer: outputs and positions become visible together or not at all.

Not obvious: librdkafka has no KIP-890, so a request that timed out may still end a *later*
transaction. After anything but a plain, quick success the producer is dropped, never reused, and
never closed (closing with an open transaction can hang): the next one with the same id fences it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka import Producer as Client
from confluent_kafka import TopicPartition as Place

from streams.clock import Deadline, monotonic_s
from streams.errors import BrokerUnavailable, Fenced, TransactionFailed
from streams.kafka import faults
from streams.kafka.bounded import within
from streams.kafka.client import new_client
from streams.kafka.client_log import ClientLog
from streams.kafka.config import base_config, checked_options, physical
from streams.kafka.consumer import Member
from streams.kafka.error_log import ErrorLog
from streams.kafka.group import stranger
from streams.ports.log import GroupMember
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.settings import KafkaSettings, WorkerSettings

SLOW_COMMIT_S = 2.0
"""A commit that took longer may have left a request in flight."""

_INIT_SLICE_S = 5.0
_MARGIN_S = 2.0  # what the client may take beyond the time-out it was given; a drain has none
_QUEUE_MESSAGES = 500_000


class KafkaTransactions:
    """Implements the `TransactionalProducer` port. Owned by the worker's thread."""

    def __init__(
        self,
        settings: KafkaSettings,
        transactional_id: str,
        worker: WorkerSettings,
        deadline: Deadline,
    ) -> None:
        self._settings = settings
        self._id = transactional_id
        self._timeout_s = worker.transaction_timeout_s
        self._is_slow = False
        self._errors = ErrorLog("producer-error", transactional_id=transactional_id)
        self._lines = ClientLog(
            "producer-line", checked_options(settings), transactional_id=transactional_id
        )
        self._client: Client | None = new_client(Client, self._config(settings))
        self._init(deadline)

    @property
    def is_suspicious(self) -> bool:
        """Whether a broker was slow or a connection lost, ever since this producer was made."""
        if self._client is not None:
            self._client.poll(0)  # what the client has to say is said here
        return self._is_slow or self._lines.is_connection_lost

    def commit(
        self,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
        deadline: Deadline | None = None,
    ) -> None:
        """Begin, produce everything, send the positions, commit."""
        started_s = monotonic_s()
        longest_s = self._timeout_s * 0.8
        deadline = deadline.at_most(longest_s) if deadline else Deadline.after(longest_s)
        with ExitStack() as on_failure:
            on_failure.callback(self.discard)
            try:
                self._transact(outputs, positions, member, deadline)
            except (KafkaException, BufferError, TimeoutError) as exc:
                # Without its traceback, whose frames would keep the client alive after `discard`.
                raise self._failed(exc) from exc.with_traceback(None)
            on_failure.pop_all()
        if monotonic_s() - started_s > SLOW_COMMIT_S:
            self._is_slow = True

    def discard(self) -> None:
        """Drop the producer without waiting; safe to call twice."""
        client, self._client = self._client, None
        if client is not None:
            client.purge()

    def _init(self, deadline: Deadline) -> None:
        assert self._client is not None  # noqa: S101 set two lines above the call
        while True:
            try:
                slice_s = max(0.5, min(_INIT_SLICE_S, deadline.left_s))
                limit = Deadline.after(slice_s + _MARGIN_S, deadline.drain)
                within(limit, partial(self._client.init_transactions, slice_s))
            except TimeoutError as exc:
                self.discard()
                raise BrokerUnavailable(f"cannot open transactions of {self._id}: {exc}") from None
            except KafkaException as exc:
                error = faults.error_of(exc)
                if not deadline.is_over and (error.retriable() or error.code() in faults.HARMLESS):
                    continue
                self.discard()
                raise faults.translated(
                    error, f"open transactions of {self._id}", self._settings
                ) from exc
            return

    def _transact(
        self,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
        deadline: Deadline,
    ) -> None:
        client = self._client
        if client is None:
            raise TransactionFailed(f"the producer {self._id} was dropped")
        if deadline.is_over:
            raise TimeoutError("no time is left for it")
        metadata = self._metadata(member) if positions else b""
        client.begin_transaction()
        for output in outputs:
            self._produce(client, output, deadline)
        if positions:
            places = self._places(positions)
            _limited(deadline, partial(client.send_offsets_to_transaction, places, metadata))
        _limited(deadline, client.commit_transaction)

    def _produce(self, client: Client, output: Outgoing, deadline: Deadline) -> None:
        topic = physical(self._settings, output.topic)
        partition = -1 if output.partition is None else output.partition
        while True:
            try:
                client.produce(
                    topic, output.value, output.key, partition, headers=list(output.headers) or None
                )
            except BufferError:
                if deadline.is_over:
                    raise
                client.poll(0.05)
            else:
                return

    def _metadata(self, member: GroupMember) -> bytes:
        """What shows the broker that `member` may set positions."""
        if not isinstance(member, Member):
            raise TypeError(f"found {type(member).__name__}, wanted the member of a KafkaConsumer")
        return member.metadata if member.generation >= 0 else stranger(self._settings, member.group)

    def _places(self, positions: Mapping[TopicPartition, Committed]) -> list[Place]:
        return [
            Place(
                physical(self._settings, partition.topic),
                partition.partition,
                committed.offset,
                committed.metadata,
            )
            for partition, committed in positions.items()
        ]

    def _failed(self, exc: Exception) -> TransactionFailed | Fenced:
        self.discard()
        error = faults.error_of(exc) if isinstance(exc, KafkaException) else None
        if error is not None and error.code() in faults.FENCED:
            return Fenced(f"another producer took the transactional id {self._id}: {error.str()}")
        found = error.str() if error is not None else str(exc)
        return TransactionFailed(
            f"transaction of {self._id} failed or its outcome is unknown: {found}",
            is_stale_member=error is not None and error.code() in faults.STALE_MEMBER,
        )

    def _config(self, settings: KafkaSettings) -> dict[str, Any]:
        tuning = {
            "compression.type": "lz4",
            "linger.ms": 5,
            # Offsets sent right after a commit are refused until that is complete: ask soon again.
            "retry.backoff.ms": 20,
            # A missing output topic fails its transaction after this, not after 30 s.
            "topic.metadata.propagation.max.ms": 5_000,
            "batch.size": 1_000_000,
        }
        must = {
            "acks": "all",
            "enable.idempotence": True,
            "transactional.id": physical(settings, self._id),
            "transaction.timeout.ms": int(self._timeout_s * 1_000),
            "message.timeout.ms": int(self._timeout_s * 800),
            "socket.timeout.ms": int(self._timeout_s * 400),
            "partitioner": "murmur2_random",
            # Quarantined records are as large as their topic let them be, and get headers.
            "message.max.bytes": 4_194_304,
            "queue.buffering.max.messages": _QUEUE_MESSAGES,
            "error_cb": self._errors,
        }
        return tuning | base_config(settings) | must | self._lines.config


def _limited(deadline: Deadline, call: Callable[[float], object]) -> None:
    """Make a call that takes its time-out last."""
    left_s = deadline.left_s
    within(Deadline.after(left_s + _MARGIN_S, deadline.drain), partial(call, left_s))
