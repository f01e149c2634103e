"""A set of ids in compressed bitmaps: smaller and faster than a Python set of integers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from pyroaring import BitMap64

from streams.state.chunks import Chunked, Rows

_UNSIGNED = 0xFFFF_FFFF_FFFF_FFFF
_SIGN = 1 << 63
_add = BitMap64.add
_discard = BitMap64.discard
_remove = BitMap64.remove
_update = BitMap64.update
_contains = BitMap64.__contains__


class Members(BitMap64):
    """A set of Avro longs. Negative ids are kept as their two's complement.

    Deterministic: iterates non-negative ids in order, then negative ones. Of the base class only
    what sets have too is meant for negative ids.
    """

    __slots__ = ("_saved", "rows")

    rows: Rows | None
    _saved: BitMap64

    def __new__(cls, members: Iterable[int] = (), **made_by_base: Any) -> Self:
        unsigned = None if made_by_base else [member & _UNSIGNED for member in members]
        make: Any = super().__new__
        made: Self = make(cls, unsigned, **made_by_base)
        made.rows = None
        return made

    def __init__(self, members: Iterable[int] = (), **made_by_base: Any) -> None:
        """Keep the base class from reading `members` a second time."""

    def add(self, member: int) -> None:
        """Put one id in; nothing happens when it is there."""
        try:
            _add(self, member)
        except OverflowError:
            _add(self, member & _UNSIGNED)

    def discard(self, member: int) -> None:
        """Take one id out; nothing happens when it is not there."""
        try:
            _discard(self, member)
        except OverflowError:
            _discard(self, member & _UNSIGNED)

    def remove(self, member: int) -> None:
        """Take one id out; KeyError when it is not there."""
        _remove(self, member & _UNSIGNED)

    def update(self, *all_members: Iterable[int]) -> None:
        """Put all ids of sets or other iterables in."""
        for members in all_members:
            _update(self, [member & _UNSIGNED for member in members])

    def __contains__(self, member: int) -> bool:
        return _contains(self, member & _UNSIGNED)

    def __iter__(self) -> Iterator[int]:
        for member in super().__iter__():
            yield member if member < _SIGN else member - _UNSIGNED - 1

    @classmethod
    def load(cls, _declared: Any, rows: Sequence[bytes]) -> Self:
        """The set from a base and its changes."""
        members: Self = cls.deserialize(rows[0])
        for row in rows[1:]:
            members ^= BitMap64.deserialize(row)
        return members

    def base(self) -> bytes:
        """All members, in the portable format of the RoaringFormatSpec."""
        return bytes(self.serialize())

    def delta(self) -> bytes:
        """Members that came or went since `mark`."""
        changed = BitMap64(self) ^ self._saved
        return bytes(changed.serialize()) if changed else b""

    def mark(self) -> None:
        """Everything up to here is saved."""
        self._saved = BitMap64(self)


Chunked.register(Members)
