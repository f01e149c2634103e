"""A marker of the offsets being folded, which outlives the process that folds them.

Sixteen bytes in a mapped file: first offset and end. A kill of the process leaves them behind;
the next owner first tries that range in a child process, so that no payload kills it again.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_RANGE = struct.Struct("<qq")
_NOTHING = (0, 0)


class Inflight:
    """The marker of one partition. Owned by the worker's thread."""

    def __init__(self, path: Path) -> None:
        if not path.is_file() or path.stat().st_size != _RANGE.size:
            path.write_bytes(_RANGE.pack(*_NOTHING))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _RANGE.size)

    def left_behind(self) -> range | None:
        """The offsets that were being folded when a process ended uncleanly."""
        first, end = _RANGE.unpack_from(self._map)
        return range(first, end) if end > first else None

    def begin(self, first: int, end: int) -> None:
        """Offsets from `first` below `end` are being folded."""
        _RANGE.pack_into(self._map, 0, first, end)

    def done(self) -> None:
        """Nothing is being folded."""
        _RANGE.pack_into(self._map, 0, *_NOTHING)

    def close(self) -> None:
        """Release the file; closing twice is fine."""
        self._map.close()


class Unmarked(Inflight):
    """Marks nothing: for a child process, whose end says nothing about its parent's file."""

    def __init__(self) -> None:
        """Open no file."""

    def begin(self, first: int, end: int) -> None:
        """Mark nothing."""

    def done(self) -> None:
        """Mark nothing."""
