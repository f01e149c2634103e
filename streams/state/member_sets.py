"""Sets of ids by key, all of which may grow: a checkpoint writes only who came and who went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import msgspec
from pyroaring import BitMap64

from streams.state.chunks import Chunked, Rows
from streams.state.members import Members


class MemberSets(Chunked):
    """Pairs of a key and a member, both Avro longs, such as comments and who likes each.

    The length is the number of pairs; a key without members is not there. A state with one of
    these stays small on disk whether it holds many sets, or large ones, or both.
    """

    __slots__ = ("_size", "_unsaved", "_values", "rows")

    rows: Rows | None

    def __init__(self) -> None:
        self._values: dict[int, Members] = {}
        self._size = 0
        self._unsaved: _Unsaved | None = None  # most states are small and never need it
        self.rows = None

    def add(self, key: int, member: int) -> None:
        """Put one member in; nothing happens when it is there."""
        members = self._values.get(key)
        if members is None:
            members = self._values[key] = Members()
        elif member in members:
            return
        members.add(member)
        self._size += 1
        self._toggle(key, member)

    def discard(self, key: int, member: int) -> None:
        """Take one member out; nothing happens when it is not there."""
        members = self._values.get(key)
        if members is None or member not in members:
            return
        members.discard(member)
        if not members:
            del self._values[key]
        self._size -= 1
        self._toggle(key, member)

    def drop(self, key: int) -> None:
        """Take all members of a key out."""
        members = self._values.pop(key, None)
        if members is not None:
            self._size -= len(members)
        if self.rows is not None and (members is not None or key in self._noted.toggled):
            self._noted.toggled.pop(key, None)
            self._noted.dropped.add(key)

    def __contains__(self, pair: tuple[int, int]) -> bool:
        key, member = pair
        return member in self._values.get(key, ())

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for key in sorted(self._values):  # a reload may bring keys in another order
            for member in self._values[key]:
                yield key, member

    def __len__(self) -> int:
        return self._size

    @classmethod
    def load(cls, _declared: Any, rows: Sequence[bytes]) -> Self:
        """The sets from a base and its changes."""
        loaded = cls()
        values = loaded._values
        for row in rows:
            toggled, dropped = _decoder.decode(row)
            for key in dropped:
                values.pop(key, None)
            for key, members in toggled.items():
                values.setdefault(key, Members()).symmetric_difference_update(
                    BitMap64.deserialize(members)
                )
        loaded._values = {key: members for key, members in values.items() if members}
        loaded._size = sum(map(len, loaded._values.values()))
        return loaded

    def base(self) -> bytes:
        """All pairs."""
        return _encoded(self._values, ())

    def delta(self) -> bytes:
        """Members that came or went, and keys dropped, since `mark`."""
        unsaved = self._unsaved
        if unsaved is None or not (unsaved.toggled or unsaved.dropped):
            return b""
        return _encoded(unsaved.toggled, unsaved.dropped)

    def mark(self) -> None:
        """Everything up to here is saved."""
        self._unsaved = None

    def _toggle(self, key: int, member: int) -> None:
        """Who went and came back since `mark` did not change."""
        if self.rows is None:
            return
        toggled = self._noted.toggled
        members = toggled.setdefault(key, Members())
        if member in members:
            members.discard(member)
            if not members:
                del toggled[key]
        else:
            members.add(member)

    @property
    def _noted(self) -> _Unsaved:
        """Where a change is noted; the next `delta` tells it."""
        if self._unsaved is None:
            self._unsaved = _Unsaved()
        return self._unsaved


class _Unsaved:
    """Who came or went since `mark`, or since the key was dropped; and the keys dropped."""

    __slots__ = ("dropped", "toggled")

    def __init__(self) -> None:
        self.toggled: dict[int, Members] = {}
        self.dropped: set[int] = set()


_decoder = msgspec.msgpack.Decoder(tuple[dict[int, bytes], list[int]])


def _encoded(values: dict[int, Members], dropped: Any) -> bytes:
    bases = {key: members.base() for key, members in values.items()}
    return msgspec.msgpack.encode((bases, sorted(dropped)))
