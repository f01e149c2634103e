"""Two requests that the client library has no call for: who coordinates, and who shall lead.

In Kafka's protocol: FindCoordinator version 1, and AlterPartitionReassignments version 0, which is
of the flexible kind (compact strings and arrays, tagged fields).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from enum import IntEnum

from streams.ports.records import TopicPartition

_FIND_COORDINATOR = (10, 1)
_ALTER_REASSIGNMENTS = (45, 0)
_TIMEOUT_S = 5.0
_CORRELATION_ID = 1
_NO_TAGS = b"\0"


class Coordinates(IntEnum):
    """What a coordinator is asked for, by the protocol's numbers."""

    GROUP = 0
    TRANSACTIONS = 1


class Refused(Exception):
    """A broker answered with an error, or not at all."""


def find_coordinator(address: str, kind: Coordinates, name: str) -> int:
    """Node id of the coordinator of a group or of a transactional id."""
    body = _text(name) + struct.pack(">b", kind)
    answer = _ask(address, _FIND_COORDINATOR, body)
    _throttle, error = struct.unpack_from(">ih", answer)
    _raise(error)
    _message, at = _read_text(answer, 6)
    (node_id,) = struct.unpack_from(">i", answer, at)
    return int(node_id)


def reassign(address: str, partition: TopicPartition, replicas: Sequence[int]) -> None:
    """Give a partition these replicas; the first is the one that shall lead."""
    nodes = _varint(len(replicas) + 1) + b"".join(struct.pack(">i", one) for one in replicas)
    one = _varint(2) + struct.pack(">i", partition.partition) + nodes + _NO_TAGS
    topics = _varint(2) + _compact(partition.topic) + one + _NO_TAGS
    body = struct.pack(">i", int(_TIMEOUT_S * 1_000)) + topics + _NO_TAGS
    answer = _ask(address, _ALTER_REASSIGNMENTS, _NO_TAGS + body)
    (error,) = struct.unpack_from(">h", answer, 5)  # after the header's tags and the throttle time
    _raise(error)
    at = _skip_compact(answer, 7)  # the message
    at = _skip_compact(answer, at + 1)  # the one topic's name
    (error,) = struct.unpack_from(">h", answer, at + 1 + 4)  # of its one partition
    _raise(error)


def _ask(address: str, api: tuple[int, int], body: bytes) -> bytes:
    """The answer after its correlation id."""
    host, _, port = address.rpartition(":")
    request = struct.pack(">hhi", *api, _CORRELATION_ID) + _text("faults") + body
    try:
        with socket.create_connection((host, int(port)), timeout=_TIMEOUT_S) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            with connection.makefile("rb") as stream:
                (size,) = struct.unpack(">i", stream.read(4))
                return stream.read(size)[4:]
    except (OSError, struct.error) as exc:
        raise Refused(f"no answer from {address}: {exc}") from exc


def _raise(error: int) -> None:
    if error:
        raise Refused(f"error {error} of Kafka's protocol")


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode("ascii")


def _read_text(answer: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">h", answer, at)
    end = at + 2 + max(size, 0)
    return answer[at + 2 : end], end


def _compact(text: str) -> bytes:
    return _varint(len(text) + 1) + text.encode("ascii")


def _skip_compact(answer: bytes, at: int) -> int:
    """Where what follows a short compact string begins; null has the length 0."""
    return at + max(answer[at], 1)


def _varint(value: int) -> bytes:
    assert value < 128, "one byte is enough here"
    return bytes([value])
