"""Decodes bytes made to hurt, in a process of its own: `python -m tests.unit.avro_hostile`.

Prints one JSON object: the reasons for each attack, and how far the process grew (MB).
"""

from __future__ import annotations

import json
import resource
from typing import Any

import msgspec

from streams.avro.columns import ColumnDecoder
from streams.avro.limits import Limits
from streams.avro.varint import long_bytes
from streams.events.message import Message

MEMORY_BYTES = 3_000_000_000
"""Address space of the process: an allocation by a claimed size fails instead of succeeding."""

NODE = {
    "type": "record",
    "name": "Node",
    "fields": [{"name": "next", "type": ["null", "Node"]}],
}
TREE = {
    "type": "record",
    "name": "Tree",
    "fields": [{"name": "trees", "type": {"type": "array", "items": "Tree"}}],
}
WIDE = {
    "type": "record",
    "name": "Wide",
    "fields": [{"name": f"f{n}", "type": "null"} for n in range(200)]
    + [{"name": "last", "type": "boolean"}],
}


def array(items: Any) -> Any:
    return {"type": "array", "items": items}


MANY = long_bytes(2**60)
ATTACKS: dict[str, tuple[Any, Any, bytes]] = {
    "nulls without end": (array("null"), list[None], MANY + b"\0"),
    "many small blocks of nulls": (array("null"), list[None], b"\x7e" * 900_000 + b"\0"),
    "empty fixed without end": (
        array({"type": "fixed", "name": "Nothing", "size": 0}),
        list[bytes],
        MANY + b"\0",
    ),
    "longs claimed": (array("long"), list[int], MANY + b"\2\2\0"),
    "strings claimed": (array("string"), list[str], MANY + b"\2a\0"),
    "a map's entries claimed": ({"type": "map", "values": "null"}, dict[str, None], MANY + b"\0"),
    "a negative count": (array("long"), list[int], long_bytes(-(2**63)) + b"\2\2\0"),
    "a block that leads back": (array("long"), list[int], b"\1" + long_bytes(-3) + b"\2\0"),
    "a negative length": ("string", str, b"\x01abc"),
    "a length beyond the end": ("string", str, MANY + b"abc"),
    "bytes beyond the end": ("bytes", bytes, long_bytes(2**62) + b"abc"),
    "a number without end": ("long", int, b"\xff" * 900_000),
    "as many items as bytes": (
        array("boolean"),
        list[bool],
        long_bytes(900_000) + bytes(900_001),
    ),
    "items of many empty fields": (array(WIDE), list[Any], long_bytes(90_000) + bytes(90_001)),
    "a chain 5,000 deep": (NODE, Any, b"\2" * 5_000 + b"\0"),
    "a tree 5,000 deep": (TREE, Any, b"\2" * 5_000 + b"\0" * 5_001),
    "a payload over the limit": ("bytes", bytes, long_bytes(2_000_000) + bytes(2_000_000)),
}
"""Type of the only field, its annotation, and a payload."""


def decoder_of(type_: Any, annotation: Any, *, is_removed: bool) -> ColumnDecoder:
    writer = {"type": "record", "name": "Row", "fields": [{"name": "field", "type": type_}]}
    row = msgspec.defstruct(
        "Row", [] if is_removed else [("field", annotation)], bases=(Message,),
        namespace={"avro_name": "Row"}, frozen=True, gc=False,
    )  # fmt: skip
    reader = {**writer, "fields": []} if is_removed else writer
    return ColumnDecoder(row, writer, reader, Limits())


def reason(decoder: ColumnDecoder, payload: bytes) -> str:
    """Why an attack among harmless neighbours was refused; "decoded" if it was not."""
    answers = decoder.decode([payload] * 2)
    return str(getattr(answers[0], "reason", "decoded"))


def flood() -> str:
    """Why a whole batch was refused of which each record claims the bytes of those behind it."""
    decoder = decoder_of(array("long"), list[int], is_removed=False)
    (found,) = {str(one) for one in decoder.decode([MANY + bytes(1_000)] * 8_000)}
    return found.partition(":")[0]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    before = peak_mb()
    reasons = {}
    for name, (type_, annotation, payload) in ATTACKS.items():
        for is_removed in (False, True):
            decoder = decoder_of(type_, annotation, is_removed=is_removed)
            reasons[f"{name}, removed" if is_removed else name] = reason(decoder, payload)
    reasons["a flood"] = flood()
    print(json.dumps({"reasons": reasons, "grown_mb": peak_mb() - before}))


if __name__ == "__main__":
    main()
