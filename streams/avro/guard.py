"""A walk over Avro binary that refuses what would hurt a decoder, before one sees it.

fastavro recurses in C, makes as many items as a block claims, and skips removed fields without
looking. So payloads whose schema nests, repeats or loses fields are walked first: a pure Python
pass that makes no values, follows every length and ends exactly where the payload ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from operator import index
from typing import Any

from streams.avro.limits import Limits
from streams.avro.reasons import Reason
from streams.avro.shape import Schema, weights
from streams.errors import Undecodable

_LAST_SHIFT = 63  # of the tenth byte of a varint: 64 bits and no more
_MASK = 2**64 - 1
_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_VARINTS = frozenset({"int", "long", "enum"})
_TRUNCATED = "the payload ends inside a value"


class Guard:
    """Refuses payloads of one writer schema that are too deep, hold too much or do not fit.

    `removed` names the fields of the top record that the reader skips. Skipping trusts the size
    that a block claims, so there, and below the top level, claimed sizes must be true.
    """

    def __init__(
        self, schema: Schema, limits: Limits, *, removed: Collection[str] = frozenset()
    ) -> None:
        self._limits = limits
        self._walk = _Walks().top(schema, removed)

    def check(self, payload: bytes) -> None:
        """Raise Undecodable unless the payload is one whole record within the limits."""
        try:
            end = self._walk(payload, 0, _Budget(self._limits))
        except IndexError:
            raise Undecodable(Reason.TRUNCATED, _TRUNCATED) from None
        if end > len(payload):
            raise Undecodable(Reason.TRUNCATED, _TRUNCATED)
        if end < len(payload):
            raise Undecodable(Reason.TRAILING_BYTES, f"{len(payload) - end} after the record")


class _Budget:
    """What the record being walked may still use."""

    __slots__ = ("depth", "items")

    def __init__(self, limits: Limits) -> None:
        self.depth = limits.max_depth
        self.items = limits.max_items

    def enter(self) -> None:
        self.depth -= 1
        if self.depth < 0:
            raise Undecodable(Reason.TOO_DEEP, "records stand within records beyond max_depth")

    def spend(self, items: int) -> None:
        self.items -= items
        if self.items < 0:
            raise Undecodable(Reason.TOO_MANY_ITEMS, "arrays and maps hold more than max_items")


_Walk = Callable[[bytes, int, _Budget], int]
"""From a payload and the position of a value to the position after it.

May raise IndexError at the payload's end, or return a position past it.
"""


class _Walks:
    """Makes a walk for each type of a schema, named types once."""

    def __init__(self) -> None:
        self._named: dict[str, _Walk] = {}
        self._weights: dict[str, int] = {}

    def top(self, schema: Schema, removed: Collection[str]) -> _Walk:
        weights(schema, self._weights)
        self._named[schema["name"]] = self._of(schema, is_exact=True)
        return _record(
            [
                self._of(field["type"], is_exact=field["name"] in removed)
                for field in schema["fields"]
            ]
        )

    def _of(self, schema: Schema, *, is_exact: bool) -> _Walk:
        if isinstance(schema, list):
            return _union([self._of(branch, is_exact=is_exact) for branch in schema])
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in _VARINTS:
            return _skip_varint
        if kind in _SIZES:
            return _fixed(_SIZES[kind])
        if kind in {"bytes", "string"}:
            return _skip_bytes
        if isinstance(schema, str):
            return self._reference(schema)
        return self._complex(kind, schema, is_exact=is_exact)

    def _complex(self, kind: str, schema: dict[str, Any], *, is_exact: bool) -> _Walk:
        if kind == "fixed":
            return self._name(schema, _fixed(index(schema["size"])))
        if kind == "record":
            fields = [self._of(field["type"], is_exact=True) for field in schema["fields"]]
            return self._name(schema, _record(fields))
        items = schema["items" if kind == "array" else "values"]
        item = self._of(items, is_exact=True)
        weight = weights(items, self._weights)
        return _blocks(_entry(item) if kind == "map" else item, weight, is_exact=is_exact)

    def _name(self, schema: dict[str, Any], walk: _Walk) -> _Walk:
        self._named[schema["name"]] = walk
        return walk

    def _reference(self, name: str) -> _Walk:
        """The walk of a type named before, or of one that is being made: found when it is used."""
        named = self._named
        if name in named:
            return named[name]
        return lambda data, at, budget: named[name](data, at, budget)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and the position after it, its 64 bits cut as fastavro cuts them."""
    byte = data[at]
    at += 1
    value = byte & 0x7F
    shift = 7
    while byte & 0x80:
        if shift > _LAST_SHIFT:
            raise Undecodable(Reason.INVALID_VALUE, "a number takes more than 10 bytes")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    value &= _MASK
    return (value >> 1) ^ -(value & 1), at


def _skip_varint(data: bytes, at: int, _budget: _Budget) -> int:
    return _varint(data, at)[1]


def _skip_bytes(data: bytes, at: int, _budget: _Budget) -> int:
    size, at = _varint(data, at)
    if size < 0:
        raise Undecodable(Reason.INVALID_VALUE, f"a length of {size}")
    return at + size


def _fixed(size: int) -> _Walk:
    return lambda _data, at, _budget: at + size


def _union(branches: list[_Walk]) -> _Walk:
    count = len(branches)

    def walk(data: bytes, at: int, budget: _Budget) -> int:
        branch, at = _varint(data, at)
        if not -count <= branch < count:  # fastavro takes -1 for the last branch
            raise Undecodable(Reason.INVALID_VALUE, f"branch {branch} of a union of {count}")
        return branches[branch](data, at, budget)

    return walk


def _record(fields: list[_Walk]) -> _Walk:
    def walk(data: bytes, at: int, budget: _Budget) -> int:
        budget.enter()
        for field in fields:
            at = field(data, at, budget)
        budget.depth += 1
        return at

    return walk


def _entry(value: _Walk) -> _Walk:
    return lambda data, at, budget: value(data, _skip_bytes(data, at, budget), budget)


def _blocks(item: _Walk, weight: int, *, is_exact: bool) -> _Walk:
    def walk(data: bytes, at: int, budget: _Budget) -> int:
        while True:
            count, at = _varint(data, at)
            if count == 0:
                return at
            end = None
            if count < 0:
                count = -count
                size, at = _varint(data, at)
                end = at + size
            budget.spend(count * weight)
            for _ in range(count):
                at = item(data, at, budget)
            if is_exact and end not in {None, at}:
                raise Undecodable(Reason.INVALID_VALUE, "a block's size is not what it takes")

    return walk
