"""Committed positions of groups, read through consumers that never join.

Not obvious: the admin client's own calls for groups (list offsets, describe, delete) must not be
used. When a broker answers one after its time-out, librdkafka aborts the whole process
(confluentinc/librdkafka issues 3663 and 4605, seen with 2.16.0).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from threading import Lock

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place

from streams.clock import Deadline
from streams.errors import StreamsError
from streams.kafka import faults
from streams.kafka.bounded import within
from streams.kafka.client import new_client
from streams.kafka.config import base_config, logical, physical
from streams.ports.records import Committed, TopicPartition
from streams.settings import KafkaSettings

_SLICE_S = 5.0
_MARGIN_S = 2.0  # what the client may take beyond the time-out it was given


class GroupPositions:
    """Positions of any group, seen from outside. Safe from any thread."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._clients: dict[str, Client] = {}
        self._lock = Lock()

    def of(
        self, group: str, partitions: Collection[TopicPartition], deadline: Deadline
    ) -> dict[TopicPartition, Committed | None]:
        """Stable positions; waits for open transactions until the deadline."""
        ask = partial(
            committed_positions, self._client(group), self._settings, partitions, deadline
        )
        try:
            return within(Deadline.after(deadline.left_s + _MARGIN_S, deadline.drain), ask)
        except TimeoutError as exc:
            error = KafkaError(KafkaError._TIMED_OUT)
            raise _unavailable(error, self._settings, partitions) from exc

    def close(self) -> None:
        """Release the connections."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _client(self, group: str) -> Client:
        with self._lock:
            if group not in self._clients:
                self._clients[group] = new_client(
                    Client,
                    base_config(self._settings)
                    | {
                        "group.id": physical(self._settings, group),
                        "isolation.level": "read_committed",  # asks for stable positions
                        "enable.auto.commit": False,
                        # Else the next question waits behind one that is lost.
                        "socket.timeout.ms": int(_SLICE_S * 1_000),
                    },
                )
            return self._clients[group]


def committed_positions(
    client: Client,
    settings: KafkaSettings,
    partitions: Collection[TopicPartition],
    deadline: Deadline,
) -> dict[TopicPartition, Committed | None]:
    """What the group of a consumer has committed; BrokerUnavailable at the deadline.

    Not through another thread: while a rebalance callback runs, a client answers its thread only.
    """
    if not partitions:
        return {}
    places = [Place(physical(settings, one.topic), one.partition) for one in partitions]
    while True:
        try:
            found = client.committed(places, max(0.1, min(_SLICE_S, deadline.left_s)))
            return dict(_position(settings, place) for place in found)
        except KafkaException as exc:
            error = faults.error_of(exc)
            if deadline.is_over or error.code() not in faults.HARMLESS:
                raise _unavailable(error, settings, partitions) from exc


def _unavailable(
    error: KafkaError, settings: KafkaSettings, partitions: Collection[TopicPartition]
) -> StreamsError:
    where = ", ".join(map(str, partitions))
    doing = f"read offsets of {where} (an open transaction may hold them back)"
    return faults.translated(error, doing, settings)


def _position(settings: KafkaSettings, place: Place) -> tuple[TopicPartition, Committed | None]:
    if place.error is not None:
        raise KafkaException(place.error)
    source = TopicPartition(logical(settings, place.topic), place.partition)
    committed = Committed(place.offset, place.metadata or "") if place.offset >= 0 else None
    return source, committed
