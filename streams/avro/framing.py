"""Confluent's wire format: one zero byte, the schema id (4 bytes, big-endian), then Avro binary.

For everything that writes or reads a record's value. The bytes are those of Confluent's own
serializer, so any client of theirs reads what we write.
"""

from __future__ import annotations

import struct

from streams.avro.reasons import Reason
from streams.errors import Undecodable

FRAME_BYTES = 5
"""Length of the frame in front of the Avro binary."""

_FRAME = struct.Struct(">BI")
_MAGIC = 0


def frame(schema_id: int) -> bytes:
    """The five bytes in front of a record written with `schema_id`."""
    if not 0 <= schema_id < 2**31:
        raise ValueError(f"a schema id is a non-negative 32-bit integer, got {schema_id}")
    return _FRAME.pack(_MAGIC, schema_id)


def split(value: bytes) -> int:
    """The schema id in the frame of `value`; Undecodable when there is no frame."""
    if value[:1] != b"\0":
        found = f"first byte {value[0]:#04x}" if value else "an empty value"
        raise Undecodable(
            Reason.BAD_MAGIC, f"found {found}, wanted 0x00 of Confluent's wire format"
        )
    if len(value) < FRAME_BYTES:
        raise Undecodable(Reason.TRUNCATED, f"{len(value)} bytes are too short for a schema id")
    schema_id: int = _FRAME.unpack_from(value)[1]
    return schema_id
