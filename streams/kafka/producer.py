"""The SDK's producer on librdkafka: idempotent, acknowledged by all replicas, keyed like Java's.

Not obvious: after a fatal error, `poll` raises instead of calling back, and every later `produce`
fails. And a delivery callback that calls the client it runs in (any method that may wait) corrupts
the binding's thread state and aborts the process; so errors are explained after `poll` returned.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from streams.clock import Deadline
from streams.errors import (
    BrokerUnavailable,
    ClientClosed,
    DeliveryFailed,
    StreamsError,
)
from streams.kafka import faults
from streams.kafka.address import bootstrap_servers, way_on
from streams.kafka.client import new_client
from streams.kafka.config import base_config, logical, physical
from streams.kafka.error_log import ErrorLog
from streams.logs import get_logger
from streams.ports.producer import OnDelivery, Send, WireHeaders
from streams.settings import EmitSettings, KafkaSettings

_QUEUE_KBYTES: Final = 262_144
"""The other bound of the queue: a quarter of a gigabyte, whatever the size of the records."""

_DISCARD_S: Final = 5.0
"""Longest wait for the reports of purged records; librdkafka makes them at once."""

_NOT_WRITTEN: Final = frozenset(
    {
        KafkaError.INVALID_RECORD,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
    }
)
"""Codes that prove that a record is not in the log."""


_GIVEN_UP: Final = frozenset(
    {KafkaError._MSG_TIMED_OUT, KafkaError._PURGE_INFLIGHT, KafkaError._PURGE_QUEUE}
)
"""Codes of records that waited too long, or were purged when the client closed."""


class KafkaProducer:
    """Implements the `Producer` port. Safe from any thread."""

    def __init__(self, kafka: KafkaSettings, emit: EmitSettings) -> None:
        self._settings = kafka
        self._servers = bootstrap_servers(kafka)
        self._log = get_logger(servers=self._servers)
        self._errors = ErrorLog("producer-error", servers=self._servers)
        self._failure = ""
        self._client = new_client(Client, self._config(kafka, emit))

    def sender(self, topic: str) -> Send:
        """A function that queues records of a topic."""
        name = physical(self._settings, topic)
        produce: Any = self._client.produce  # its stub knows neither our ports nor tuples

        def send(
            value: bytes,
            key: bytes,
            partition: int,
            on_delivery: OnDelivery,
            headers: WireHeaders | None = None,
        ) -> None:
            try:
                produce(name, value, key, partition, on_delivery, None, 0, headers)
            except KafkaException as exc:
                raise self._refused(faults.error_of(exc), topic) from None

        return send

    def poll(self, timeout_s: float) -> int:
        """Serve delivery reports; returns how many events were served."""
        try:
            return int(self._client.poll(timeout_s))
        except KafkaException as exc:
            self._fail(faults.error_of(exc))
            return 0

    def flush(self, timeout_s: float) -> int:
        """Send what is queued and serve its reports; the number still waiting."""
        deadline = Deadline.after(timeout_s)
        while True:
            try:
                return int(self._client.flush(deadline.left_s))
            except KafkaException as exc:
                self._fail(faults.error_of(exc))
                if deadline.is_over:
                    return self.queued

    def explain(self, error: KafkaError, topic: str) -> StreamsError:
        """What became of a record whose delivery failed."""
        code = error.code()
        if self._failure:
            return DeliveryFailed(f"{topic}: {self._failure}", is_unknown=True)
        if faults.is_gone(error):
            return DeliveryFailed(
                f"{topic}: the topic or partition does not exist at {self._servers}; run "
                "`streams topics apply`, or see `streams topics diff`"
            )
        if code in _GIVEN_UP and not self.was_reached:
            return self._unavailable()
        if code in _GIVEN_UP:
            return self.overdue(topic)
        unknown = code not in _NOT_WRITTEN
        return DeliveryFailed(f"{topic}: {error.str()} ({error.name()})", is_unknown=unknown)

    def overdue(self, topic: str) -> StreamsError:
        """What to say of a record that waits for too long, and goes on waiting."""
        return DeliveryFailed(
            f"{topic}: not acknowledged in time by {self._servers}; it may be in the log all the "
            "same, or get there yet, so emit it again only with the same event id",
            is_unknown=True,
        )

    @property
    def failure(self) -> str:
        """Why nothing can be sent any more; empty while all is well."""
        return self._failure

    @property
    def was_reached(self) -> bool:
        """Whether a broker ever answered: if not, no record can have left this process."""
        try:
            return self._client.cluster_id(0) is not None
        except KafkaException:
            return False

    @property
    def queued(self) -> int:
        """Records whose delivery is not yet reported."""
        return len(self._client)

    def partitions(self, timeout_s: float) -> dict[str, int]:
        """Partition counts of the topics in this namespace."""
        try:
            found = self._client.list_topics(timeout=timeout_s).topics
        except KafkaException:
            raise self._unavailable() from None
        prefix = self._settings.namespace
        return {
            logical(self._settings, name): len(topic.partitions)
            for name, topic in found.items()
            if name.startswith(prefix)
        }

    def discard(self) -> None:
        """Purge the queue and report its records as failed."""
        self._client.purge()
        self.flush(_DISCARD_S)

    def abandon(self) -> None:
        """Leak the client: freeing it would wait for threads and say goodbye on shared sockets."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._client))

    def _refused(self, error: KafkaError, topic: str) -> StreamsError:
        if error.code() == KafkaError._FATAL:
            self._fail(error)
            return ClientClosed(f"{topic}: {self._failure}")
        return self.explain(error, topic)

    def _fail(self, error: KafkaError) -> None:
        if error.code() != KafkaError._FATAL and not error.fatal():
            self._log.warning("client error", action="producer-error", error=error.str())
            return
        if not self._failure:
            self._failure = (
                f"the producer met an error that it cannot go on from ({error.str()}); what was "
                "queued may or may not be in the log: open a new EventClient and emit what was not "
                "acknowledged again, in order and with the same event ids"
            )
            self._log.error("producer broken", action="producer-broken", error=error.str())

    def _unavailable(self) -> BrokerUnavailable:
        why = f" ({self._errors.last})" if self._errors.last else ""
        return BrokerUnavailable(
            f"found no Kafka broker that answers at {self._servers}{why}; {way_on(self._settings)}"
        )

    def _config(self, kafka: KafkaSettings, emit: EmitSettings) -> dict[str, Any]:
        defaults = {
            "batch.size": 1_000_000,
            "compression.type": "lz4",
            "linger.ms": emit.linger_ms,
            "message.max.bytes": max(1_000_000, emit.max_record_bytes + 100_000),
            "queue.buffering.max.kbytes": _QUEUE_KBYTES,
            "queue.buffering.max.messages": emit.max_queued,
        }
        must = {
            "acks": "all",
            "enable.idempotence": True,
            "error_cb": self._errors,
            "message.timeout.ms": 0,  # never; see `streams/sdk/overdue.py`
            "partitioner": "murmur2_random",
        }
        return defaults | base_config(kafka) | must
