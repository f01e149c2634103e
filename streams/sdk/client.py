"""The client that services emit events with."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Final, Self

from streams.clock import Deadline, now_us
from streams.errors import ClientClosed, NotFound, Overloaded, StreamsError
from streams.events.message import Event
from streams.kafka.producer import KafkaProducer
from streams.metrics import EMIT_FAILED, EMIT_SECONDS, EMITTED
from streams.ports.producer import Producer, WireHeaders
from streams.sdk import open_clients
from streams.sdk.delivery import Delivery
from streams.sdk.headers import HeaderWriter
from streams.sdk.packer import Packer, Parcel
from streams.sdk.receipt import Receipt
from streams.sdk.stamp import Stamp
from streams.settings import EmitSettings, KafkaSettings

_AT_ONCE: Final = 256
"""Records queued before the emitting thread looks for delivery reports."""

_ROOM_POLL_S: Final = 0.01
"""One wait for room in a full queue."""

_MARGIN_S: Final = 5.0
"""Added to the delivery time-out where everything must be settled: reports take a moment."""


class EventClient:
    """Emits typed events. Safe from any thread; in the child of a fork, open a new one.

        with EventClient() as client:
            client.emit(PhotoLiked(user_id=3, photo_id=5, owner_id=9)).result()

    Topic, key and partition come from the type's catalog. Events of one key keep the order in
    which they were emitted. The queue is bounded; records go out in the background, and leaving the
    `with` block, `close` or the interpreter's exit flushes them for at most `flush_timeout_s`. A
    process that dies of a signal flushes nothing: turn SIGTERM into an exit, for example with
    `signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))`.

    Making one asks no broker, but raises BrokerUnavailable where none is configured and no local
    Kafka runs.
    """

    def __init__(
        self,
        kafka: KafkaSettings | None = None,
        emit: EmitSettings | None = None,
        *,
        producer: Producer | None = None,
    ) -> None:
        self._settings = emit or EmitSettings()
        producer = producer or KafkaProducer(kafka or KafkaSettings(), self._settings)
        self._sender = producer.sender
        self._delivery = Delivery(producer, self._publish, self._settings.delivery_timeout_s)
        self._packers: dict[type, Packer] = {}
        self._stamp = Stamp()
        self._headers = HeaderWriter(self._settings.source)
        self._closing = threading.Lock()  # held by the one thread that closes
        self._is_closed = False
        self._lock = threading.Lock()  # guards what follows; the order of sends is its order
        self._refusal = ""  # why nothing is taken any more; empty while open
        self._unserved = 0
        self._delivery.start()
        open_clients.add(self)

    def emit(
        self, event: Event, *, cause: Event | bytes | None = None, traceparent: str | None = None
    ) -> Receipt:
        """Queue one event and return its receipt, before it is sent.

        An event without id or time is given both. `cause` is the event (or its id) that led to
        this one; `traceparent` defaults to OpenTelemetry's current span. When this raises, nothing
        is sent: UnknownEvent, SchemaMismatch, TooLarge; Overloaded when the queue is full (at once
        or after waiting, by `on_full`); ClientClosed.
        """
        try:
            headers = self._headers.write(cause, traceparent)
            packer = self._packers.get(type(event)) or self._packer(type(event))
            parcel = packer.pack(event)
            with self._lock:
                is_queued = not self._refusal and _put(parcel, headers)
                self._unserved += 1
                is_time_to_serve = self._unserved >= _AT_ONCE
            if not is_queued:
                self._send(deque((parcel,)), headers)
            elif is_time_to_serve:
                self._unserved = 0
                self._delivery.serve()
        except StreamsError as exc:
            EMIT_FAILED.labels(type(exc).__name__).inc()
            raise
        return parcel.receipt

    def emit_many(
        self,
        events: Iterable[Event],
        *,
        cause: Event | bytes | None = None,
        traceparent: str | None = None,
    ) -> list[Receipt]:
        """Queue events in order and return their receipts, one an event.

        Events without a time are given that of this call. All are encoded first: when this raises
        (like `emit`), nothing is sent. When the queue is found full after some were taken, or the
        client closed, the rest fail by their receipts, so that no later event of a key passes an
        earlier one.
        """
        receipts: list[Receipt] = []
        parcels: deque[Parcel] = deque()
        try:
            headers = self._headers.write(cause, traceparent)
            at_us = now_us()
            for event in events:
                packer = self._packers.get(type(event)) or self._packer(type(event))
                parcels.append(packer.pack(event, at_us))
            receipts = [parcel.receipt for parcel in parcels]
            self._send(parcels, headers)
        except StreamsError as exc:
            if len(parcels) >= len(receipts):
                EMIT_FAILED.labels(type(exc).__name__).inc()
                raise
            for parcel in parcels:
                self._delivery.fail(parcel.receipt, exc)
        return receipts

    def flush(self, timeout_s: float | None = None) -> None:
        """Return when everything emitted is acknowledged.

        DeliveryFailed when records failed and nobody looked at their receipts, or are not settled
        after `timeout_s` (None = as long as delivery may take); its `count` says how many.
        """
        if timeout_s is None:
            timeout_s = self._settings.delivery_timeout_s + _MARGIN_S
        self._delivery.flush(timeout_s)
        self._delivery.raise_failures()

    def ready(self, *event_types: type[Event], timeout_s: float = 8.0) -> None:
        """Return when a broker answers and has the topics of these types.

        BrokerUnavailable, or NotFound naming the topics that are not there.
        """
        topics = {self._packer(event_type).topic for event_type in event_types}
        missing = sorted(topics - self._delivery.producer.partitions(timeout_s).keys())
        if missing:
            raise NotFound(
                f"found no topic {', '.join(missing)} on the broker; run `streams topics apply`"
            )

    def close(self) -> None:
        """Flush for at most `flush_timeout_s` and let go; closing twice is fine.

        DeliveryFailed with the count of records that failed unseen or had to be given up.
        """
        with self._closing:
            if self._is_closed:
                return
            with self._lock:
                self._refusal = "the client is closed; open a new EventClient"
            self._delivery.flush(self._settings.flush_timeout_s)
            self._delivery.discard()
            self._delivery.stop()
            self._publish()
            self._packers.clear()
            del self._sender
            self._is_closed = True
        open_clients.remove(self)
        self._delivery.raise_failures()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    @property
    def queued(self) -> int:
        """Events whose acknowledgement is awaited."""
        return self._delivery.queued

    def disown(self, why: str) -> None:
        """Called in the child of a fork: refuse everything, and leave the connection alone."""
        self._closing = threading.Lock()  # the old ones may be held by threads left behind
        self._lock = threading.Lock()
        self._is_closed = True
        self._refusal = why
        self._delivery.disown(why)

    def _packer(self, event_type: type[Event]) -> Packer:
        packer = self._packers.get(event_type)
        if packer is None:
            if self._refusal:
                raise ClientClosed(self._refusal)
            packer = Packer(
                event_type,
                self._sender,
                delivery=self._delivery,
                max_bytes=self._settings.max_record_bytes,
                stamp=self._stamp,
            )
            packer = self._packers.setdefault(event_type, packer)
        return packer

    def _send(self, parcels: deque[Parcel], headers: WireHeaders | None) -> None:
        """Queue all, in order, waiting for room if the settings say so.

        What is left in `parcels` when this raises was not sent.
        """
        longest_s = self._settings.delivery_timeout_s + _MARGIN_S
        deadline = Deadline.after(longest_s)
        has_looked = False
        while parcels:
            if self._send_some(parcels, headers):
                deadline = Deadline.after(longest_s)
                has_looked = False
            elif has_looked and (self._settings.on_full == "fail" or deadline.is_over):
                raise Overloaded(
                    f"found {self._settings.max_queued:,} events waiting to be sent, which is the "
                    "most; emit more slowly, or raise STREAMS_EMIT_MAX_QUEUED"
                )
            self._delivery.serve(_ROOM_POLL_S if has_looked else 0.0)
            has_looked = True

    def _send_some(self, parcels: deque[Parcel], headers: WireHeaders | None) -> int:
        """Queue a few and return how many; 0 when there is no room."""
        with self._lock:
            if self._refusal:
                raise ClientClosed(self._refusal)
            before = len(parcels)
            for _ in range(min(_AT_ONCE, before)):
                if not _put(parcels[0], headers):
                    break
                parcels.popleft()
            return before - len(parcels)

    def _publish(self) -> None:
        """Move counts and times to where they belong; that is too dear to do for each event."""
        for packer in list(self._packers.values()):
            with self._lock:
                emitted, packer.emitted = packer.emitted, []
            if emitted:
                EMITTED.labels(packer.topic).inc(len(emitted))
                self._delivery.await_soon(emitted)
        for topic, latency_s in self._delivery.latencies():
            EMIT_SECONDS.labels(topic).observe(latency_s)


def _put(parcel: Parcel, headers: WireHeaders | None) -> bool:
    """Queue a record, unless the queue is full; the client's lock is held."""
    packer = parcel.packer
    try:
        packer.send(parcel.value, parcel.key, parcel.partition, parcel.receipt, headers)
    except BufferError:
        return False
    packer.emitted.append(parcel.receipt)
    return True
