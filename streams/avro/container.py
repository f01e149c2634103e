"""Many payloads of one schema as an Avro file in memory, for polars to read as columns.

Each payload is followed by a guard: eight bytes drawn when the process started, declared as one
more field, a double. A payload that is longer or shorter than its schema says puts other bytes
where a guard belongs, so when the number of rows and every guard are right, every row is one
payload and nothing but it.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Sequence
from functools import reduce
from io import BytesIO
from itertools import accumulate
from operator import add, or_
from typing import Any, Final

from fastavro import parse_schema, writer

from streams.avro.shape import Schema
from streams.avro.varint import long_bytes
from streams.settings import limit_polars

limit_polars()

import polars as pl  # noqa: E402  # reads its settings when it is imported
from polars.exceptions import PanicException, PolarsError  # noqa: E402


def _draw_guard() -> bytes:
    """Eight random bytes that are an ordinary number, neither 0 nor NaN, when read as a double."""
    return secrets.token_bytes(7) + bytes((secrets.randbelow(63) + 1,))


GUARD: Final = _draw_guard()
_GUARD_VALUE: Final = struct.unpack("<d", GUARD)[0]
_GUARD_FIELD: Final = "guard"
_SYNC: Final = bytes(16)
_PADDING: Final = bytes(4_096)
"""Zeros after the last guard: a damaged record that runs over the end finds values there.

Where polars runs over the end of the block it panics, and prints that to standard error. With the
zeros few accidents get that far: mostly lengths that were changed to something huge.
"""


class Unreadable(Exception):
    """At least one payload does not fit the schema; polars cannot say which."""


class Container:
    """Reads payloads that consist of the given fields (name, type); a fixed needs no name."""

    def __init__(self, fields: Iterable[tuple[str, Schema]]) -> None:
        named = [{"name": name, "type": _named(type_, name)} for name, type_ in fields]
        record = {
            "type": "record",
            "name": "Row",
            "fields": [*named, {"name": _GUARD_FIELD, "type": "double"}],
        }
        header = BytesIO()
        writer(header, parse_schema(record), [], sync_marker=_SYNC)
        self._header = header.getvalue()

    def read(self, guarded: bytes, rows: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows of payloads that were joined by GUARD; Unreadable if they do not all fit.

        `columns` names the only fields to keep.
        """
        block = b"".join(
            (
                self._header,
                long_bytes(rows),
                long_bytes(len(guarded) + len(GUARD) + len(_PADDING)),
                guarded,
                GUARD,
                _PADDING,
                _SYNC,
            )
        )
        wanted = None if columns is None else [*columns, _GUARD_FIELD]
        try:
            frame = pl.read_avro(BytesIO(block), columns=wanted)
        except (PolarsError, OSError, PanicException) as exc:
            raise Unreadable(str(exc)) from exc
        if frame.height != rows or not (frame.get_column(_GUARD_FIELD) == _GUARD_VALUE).all():
            raise Unreadable("a guard is not where it belongs")
        return frame


def places_of(column: pl.Series, values: Iterable[bytes]) -> list[int]:
    """Where each item of a column stands among `values`; Unreadable if one does not."""
    matches = [column == pl.Series([value]) for value in values]
    if sum(int(match.sum()) for match in matches) != len(column):
        raise Unreadable("a payload has another prefix")
    # An item's place is how many of "is it the last", "one of the last two", … are true.
    behind = [match.cast(pl.Int16) for match in accumulate(reversed(matches[1:]), or_)]
    return reduce(add, behind).to_list() if behind else [0] * len(column)


def _named(schema: Schema, name: str) -> Any:
    """The schema with a name on each fixed, as Avro wants it."""
    if isinstance(schema, list):
        return [_named(branch, name) for branch in schema]
    if isinstance(schema, str):
        return schema
    if schema["type"] == "array":
        return {**schema, "items": _named(schema["items"], name)}
    return {**schema, "name": f"Fixed_{name}"}
