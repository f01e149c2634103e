"""Whether a broker is ready for work, asked in Kafka's protocol without a client library."""

from __future__ import annotations

import socket
import struct

_METADATA = 3
_METADATA_VERSION = 1
_CORRELATION_ID = 1
_NODE_ID_BYTES = 4
_LONGEST_ANSWER = 1 << 20  # bytes; an answer about no topics has less than a hundred


def is_ready(address: str, timeout_s: float = 1.0) -> bool:
    """Whether the broker at host:port answers and counts itself among the live brokers.

    Sends a Metadata request about no topics; a broker that is started but still fenced by its
    controller leaves itself out of the brokers it names.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
            connection.sendall(_request())
            with connection.makefile("rb") as stream:
                return address in _live_brokers(stream.read(_size(stream.read(4))))
    except (OSError, struct.error):
        return False


def _request() -> bytes:
    client_id = b"millrace"
    header = struct.pack(">hhih", _METADATA, _METADATA_VERSION, _CORRELATION_ID, len(client_id))
    no_topics = struct.pack(">i", 0)
    body = header + client_id + no_topics
    return struct.pack(">i", len(body)) + body


def _size(prefix: bytes) -> int:
    (size,) = struct.unpack(">i", prefix)
    return size if 0 <= size <= _LONGEST_ANSWER else 0


def _live_brokers(answer: bytes) -> set[str]:
    """Addresses, as host:port."""
    correlation_id, brokers = struct.unpack_from(">ii", answer)
    if correlation_id != _CORRELATION_ID:
        return set()
    found, at = set(), 8
    for _ in range(brokers):
        host, at = _text(answer, at + _NODE_ID_BYTES)
        (port,) = struct.unpack_from(">i", answer, at)
        _rack, at = _text(answer, at + 4)
        found.add(f"{host}:{port}")
    return found


def _text(answer: bytes, at: int) -> tuple[str, int]:
    """A string of the protocol and where it ends; null has the length -1."""
    (size,) = struct.unpack_from(">h", answer, at)
    end = at + 2 + max(size, 0)
    return answer[at + 2 : end].decode("utf-8", "replace"), end
