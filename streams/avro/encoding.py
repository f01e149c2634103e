"""One function a record type, from a struct to its bytes, put together from its schema.

Twice as fast as checking the values and handing a dict to fastavro. Each value's function checks
the exact Python type and raises anything at all on a value it was not made for: the caller then
asks `StrictForm`, which takes its time and either names the field or lets fastavro write it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from streams.avro.shape import Schema, named_types
from streams.avro.varint import LAST, MORE, PAIR, PAIR_BITS, TWO_PAIRS, high_bytes, long_bytes
from streams.events.message import Message

EncodeValue = Callable[[Any], bytes]
Encode = Callable[[Message], bytes]

MISFITS: Final = (TypeError, ValueError, LookupError, OverflowError, struct.error)
"""What an encoding raises for a value that is not exactly of its type."""

_SPANS: Final = {"int": range(-(2**31), 2**31), "long": range(-(2**63), 2**63)}

_WHOLE: Final = """
        v{n} = event.{name}
        if v{n}.__class__ is not int: no()
        if 0 <= v{n} <= {small}:
            v{n} += v{n}
            v{n} = last[v{n}] if v{n} <= {pair} else more[v{n} & {pair}] + last[v{n} >> {bits}]
        elif {lowest} <= v{n} <= {highest}: v{n} = long(v{n})
        else: no()"""
"""A whole number. Ids are small numbers mostly, and a call would cost as much as their bytes."""

_TIME: Final = """
        v{n} = event.{name}
        if v{n}.__class__ is not int: no()
        if {small} < v{n} <= {highest}:
            v{n} += v{n}
            w{n} = v{n} & {two_pairs}
            v{n}, w{n}, x{n} = more[w{n} & {pair}], more[w{n} >> {bits}], high(v{n} >> {two_bits})
        elif {lowest} <= v{n} <= {highest}: v{n}, w{n}, x{n} = long(v{n}), b"", b""
        else: no()"""
"""A point in time: a large number, whose upper half many share."""

_FIXED: Final = """
        v{n} = event.{name}
        if v{n}.__class__ is not bytes or len(v{n}) != {size}: no()"""

_OTHER: Final = """
        v{n} = f{n}(event.{name})"""

_FUNCTION: Final = """
def encode(event):
    try:
        if event.__class__ is not own: no(){lines}
        return join((frame, {values}))
    except misfits:
        return otherwise(event)
"""


def encoding_of(
    schema: Schema,
    event_type: type[Message],
    frame: bytes,
    *,
    bounds: Mapping[str, range],
    otherwise: Encode,
) -> Encode:
    """The encoding of a record type: `otherwise` alone if it has a part that only fastavro writes.

    `bounds` narrows integer fields: what a logical type that the struct keeps plain can hold.
    `otherwise` is asked about each event with a value that does not fit.
    """
    named = named_types(schema)
    scope: dict[str, Any] = {
        "own": event_type, "frame": frame, "join": b"".join, "no": _refuse, "misfits": MISFITS,
        "otherwise": otherwise, "last": LAST, "more": MORE, "long": long_bytes, "high": high_bytes,
    }  # fmt: skip
    lines, values = "", [f"v{n}" for n in range(len(schema["fields"]))]
    for n, field in enumerate(schema["fields"]):
        name, part = field["name"], named.get(str(field["type"]), field["type"])
        encoder = scope[f"f{n}"] = _encoder(part, named)
        if name in bounds:
            is_long = bounds[name][-1] > TWO_PAIRS
            lines += _numbered(_TIME if is_long else _WHOLE, n, name, bounds[name])
            values[n] = f"v{n}, w{n}, x{n}" if is_long else values[n]
        elif encoder is None:
            return otherwise
        elif str(part) in _SPANS:
            lines += _numbered(_WHOLE, n, name, _SPANS[str(part)])
        elif isinstance(part, dict) and part["type"] == "fixed":
            lines += _FIXED.format(n=n, name=name, size=part["size"])
        else:
            lines += _OTHER.format(n=n, name=name)
    # Made of the struct's own field names, which are identifiers.
    exec(_FUNCTION.format(lines=lines, values=", ".join(values)), scope)  # noqa: S102
    encode: Encode = scope["encode"]
    return encode


def _numbered(template: str, n: int, name: str, span: range) -> str:
    return template.format(
        n=n, name=name, lowest=span[0], highest=span[-1], small=min(span[-1], TWO_PAIRS >> 1),
        pair=PAIR, bits=PAIR_BITS, two_pairs=TWO_PAIRS, two_bits=2 * PAIR_BITS,
    )  # fmt: skip


def _refuse() -> None:
    raise TypeError


def _encoder(schema: Schema, named: Mapping[str, Schema]) -> EncodeValue | None:
    if isinstance(schema, str):
        schema = named.get(schema, schema)
    if isinstance(schema, str):
        return _PRIMITIVE.get(schema)
    if isinstance(schema, list):
        return _nullable(schema, named)
    if "logicalType" in schema:
        return None
    if schema["type"] == "array":
        return _array(_encoder(schema["items"], named))
    if schema["type"] == "fixed":
        return _fixed(schema["size"])
    return _enum(schema["symbols"]) if schema["type"] == "enum" else None


def _int(value: Any) -> bytes:
    if -(2**31) <= value < 2**31:
        return long_bytes(value)
    raise OverflowError


def _boolean(value: Any) -> bytes:
    if value.__class__ is not bool:
        raise TypeError
    return b"\1" if value else b"\0"


def _real(code: str) -> EncodeValue:
    pack = struct.Struct(code).pack

    def encode(value: Any) -> bytes:
        if value.__class__ is not float:
            raise TypeError
        return pack(value)

    return encode


def _string(value: Any) -> bytes:
    if value.__class__ is not str:
        raise TypeError
    text: bytes = value.encode()
    return long_bytes(len(text)) + text


def _bytes(value: Any) -> bytes:
    if value.__class__ is not bytes:
        raise TypeError
    return long_bytes(len(value)) + value


def _fixed(size: int) -> EncodeValue:
    def encode(value: Any) -> bytes:
        if value.__class__ is not bytes or len(value) != size:
            raise TypeError
        return value

    return encode


def _enum(symbols: list[str]) -> EncodeValue:
    return {symbol: long_bytes(index) for index, symbol in enumerate(symbols)}.__getitem__


def _nullable(union: list[Schema], named: Mapping[str, Schema]) -> EncodeValue | None:
    inner = _encoder(union[1], named) if len(union) == 2 and union[0] == "null" else None
    if inner is None:
        return None
    return lambda value: b"\0" if value is None else b"\2" + inner(value)


def _array(item: EncodeValue | None) -> EncodeValue | None:
    if item is None:
        return None

    def encode(value: Any) -> bytes:
        if value.__class__ is not list:
            raise TypeError
        if not value:
            return b"\0"
        return b"".join((long_bytes(len(value)), *map(item, value), b"\0"))

    return encode


_PRIMITIVE: Final[dict[str, EncodeValue]] = {
    "boolean": _boolean,
    "int": _int,
    "long": long_bytes,
    "high": high_bytes,
    "float": _real("<f"),
    "double": _real("<d"),
    "string": _string,
    "bytes": _bytes,
}
