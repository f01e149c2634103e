"""How a record's key is made of an event: fields joined by `:`, or two ids in numeric order."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from streams.events.message import Message

Key = int | str | tuple[int | str, ...]
"""A key in Python: the field's value, or a tuple of several; a pair is (lo, hi)."""

ReadKey = Callable[[Message], Key]
ReadBytes = Callable[[Message], bytes]


def key_reader(fields: tuple[str, ...], *, is_pair: bool) -> ReadKey:
    """A function from an event to its key."""
    read: Callable[[Any], Any] = attrgetter(*fields)
    return (lambda event: _in_order(*read(event))) if is_pair else read


def bytes_reader(fields: tuple[str, ...], *, is_pair: bool) -> ReadBytes:
    """A function from an event to its record's key: the text of its key in UTF-8."""
    read = key_reader(fields, is_pair=is_pair)
    if len(fields) == 1:
        return lambda event: str(read(event)).encode()
    return lambda event: key_text(read(event)).encode()


def key_text(key: Key) -> str:
    """The text of a key: `5`, `ann`, or `3:9`."""
    return ":".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _in_order(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one <= other else (other, one)
