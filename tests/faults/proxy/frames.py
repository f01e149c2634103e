"""A frame of Kafka's protocol: a size, a header, and a body that nobody here reads."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, IntEnum

SIZE_BYTES = 4
_HEADER = struct.Struct(">hhih")  # key, version, correlation id, length of the client's name
_CORRELATION = struct.Struct(">i")


class Api(IntEnum):
    """What a request asks, by Kafka's API key; other keys are plain numbers here."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    API_VERSIONS = 18
    INIT_PRODUCER_ID = 22
    OFFSET_FOR_LEADER_EPOCH = 23
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28
    DESCRIBE_CLUSTER = 60
    CONSUMER_GROUP_HEARTBEAT = 68


GROUP_APIS = frozenset(
    {
        Api.OFFSET_COMMIT,
        Api.OFFSET_FETCH,
        Api.JOIN_GROUP,
        Api.HEARTBEAT,
        Api.LEAVE_GROUP,
        Api.SYNC_GROUP,
        Api.TXN_OFFSET_COMMIT,
        Api.CONSUMER_GROUP_HEARTBEAT,
    }
)
"""What only a group's coordinator answers."""

LEADER_APIS = frozenset({Api.PRODUCE, Api.FETCH, Api.LIST_OFFSETS, Api.OFFSET_FOR_LEADER_EPOCH})
"""What only a partition's leader answers."""


class Direction(Enum):
    """Which way a frame goes."""

    REQUEST = "request"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Frame:
    """One request or answer. `data` is without its size; `node` numbers the brokers from 0."""

    direction: Direction
    api: int
    version: int
    correlation: int
    client: str
    node: int
    link: int
    data: bytes

    @property
    def wire(self) -> bytes:
        """The frame as it goes over the wire."""
        return len(self.data).to_bytes(SIZE_BYTES, "big") + self.data

    @property
    def body_at(self) -> int:
        """Where the body of a request begins, in versions whose header has no tagged fields."""
        return _HEADER.size + len(self.client.encode())


def request(data: bytes, *, node: int, link: int) -> Frame:
    """What a client sent."""
    api, version, correlation, length = _HEADER.unpack_from(data)
    client = data[_HEADER.size : _HEADER.size + max(0, length)].decode()
    return Frame(Direction.REQUEST, api, version, correlation, client, node, link, data)


def answer(data: bytes, asked: Frame) -> Frame:
    """What the broker said to the request `asked`."""
    return Frame(
        Direction.ANSWER,
        asked.api,
        asked.version,
        asked.correlation,
        asked.client,
        asked.node,
        asked.link,
        data,
    )


def correlation_of(data: bytes) -> int:
    """The number of the request that an answer belongs to."""
    (number,) = _CORRELATION.unpack_from(data)
    return int(number)
