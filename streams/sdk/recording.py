"""A client for unit tests of programs that emit: no broker, every event kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple, Self

from streams.errors import ClientClosed
from streams.events.message import Event
from streams.ports.producer import OnDelivery, Send, WireHeaders
from streams.ports.records import Outgoing
from streams.sdk.delivery import Delivery
from streams.sdk.headers import HeaderWriter
from streams.sdk.packer import Packer
from streams.sdk.receipt import Receipt
from streams.sdk.stamp import Stamp
from streams.settings import EmitSettings
from streams.topics.partitioner import partition_of


class Landed(NamedTuple):
    """The report of a record that was recorded."""

    at_partition: int
    at_offset: int

    def partition(self) -> int:
        """Its partition."""
        return self.at_partition

    def offset(self) -> int:
        """Its offset, counted from 0 in each partition."""
        return self.at_offset

    def latency(self) -> float | None:
        """Unknown: nothing was waited for."""
        return None


class RecordingClient:
    """An `Emitter` that keeps what is emitted instead of sending it. One thread owns it.

        client = RecordingClient()
        like(client, user_id=3, photo_id=5)
        assert client.events == [PhotoLiked(user_id=3, photo_id=5, owner_id=9)]

    Events are held against their schemas and routed as the real client would; receipts are settled
    at once. Events stay as they were given unless `stamp` asks for ids and times. `records` has
    the same in bytes, with headers.
    """

    def __init__(self, *, stamp: bool = False) -> None:
        self.events: list[Event] = []
        self.records: list[Outgoing] = []
        self._settings = EmitSettings()
        self._stamp = Stamp() if stamp else None
        self._headers = HeaderWriter(self._settings.source)
        self._delivery = Delivery(None)
        self._packers: dict[type, Packer] = {}
        self._partitions: dict[str, int] = {}
        self._ends: Counter[tuple[str, int]] = Counter()
        self._is_closed = False

    def emit(
        self, event: Event, *, cause: Event | bytes | None = None, traceparent: str | None = None
    ) -> Receipt:
        """Keep one event; refuses what `EventClient.emit` refuses."""
        return self.emit_many([event], cause=cause, traceparent=traceparent)[0]

    def emit_many(
        self,
        events: Iterable[Event],
        *,
        cause: Event | bytes | None = None,
        traceparent: str | None = None,
    ) -> list[Receipt]:
        """Keep events; none is kept when one of them is refused."""
        if self._is_closed:
            raise ClientClosed("the client is closed; make a new RecordingClient")
        headers = self._headers.write(cause, traceparent)
        kept = [self._stamp(event) if self._stamp else event for event in events]
        parcels = [self._packer(event).pack(event) for event in kept]
        for parcel in parcels:
            parcel.packer.send(parcel.value, parcel.key, parcel.partition, parcel.receipt, headers)
        self.events.extend(kept)
        return [parcel.receipt for parcel in parcels]

    def flush(self, timeout_s: float | None = None) -> None:
        """Nothing is ever waiting."""

    def close(self) -> None:
        """Refuse emits from now on; what was kept stays readable."""
        self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def _packer(self, event: Any) -> Packer:
        packer = self._packers.get(type(event))
        if packer is None:
            packer = self._packers[type(event)] = Packer(
                type(event),
                self._sender,
                delivery=self._delivery,
                max_bytes=self._settings.max_record_bytes,
            )
            self._partitions[packer.topic] = packer.partitions
        return packer

    def _sender(self, topic: str) -> Send:
        def send(
            value: bytes,
            key: bytes,
            partition: int,
            on_delivery: OnDelivery,
            headers: WireHeaders | None = None,
        ) -> None:
            partitions = self._partitions[topic]
            if partition < 0:
                partition = partition_of(key, partitions)
            self.records.append(Outgoing(topic, key, value, headers or (), partition))
            on_delivery(None, Landed(partition, self._ends[topic, partition]))
            self._ends[topic, partition] += 1

        return send
