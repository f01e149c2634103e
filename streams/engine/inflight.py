"""A marker of the offsets being folded, which outlives the process that folds them.

Sixteen bytes in the partition's folder: first offset and end. A kill of the process leaves them
behind; the next owner first tries that range in a child process, so that no payload kills it again.
"""

from __future__ import annotations

import struct

from streams.ports.store import Marker

_RANGE = struct.Struct("<qq")
_NOTHING = _RANGE.pack(0, 0)


class Inflight:
    """The marker of one partition. Owned by the worker's thread."""

    def __init__(self, marker: Marker) -> None:
        self._marker = marker

    def left_behind(self) -> range | None:
        """The offsets that were being folded when a process ended uncleanly."""
        first, end = _RANGE.unpack(self._marker[:])
        return range(first, end) if end > first else None

    def begin(self, first: int, end: int) -> None:
        """Offsets from `first` below `end` are being folded."""
        self._marker[:] = _RANGE.pack(first, end)

    def done(self) -> None:
        """Nothing is being folded."""
        self._marker[:] = _NOTHING

    def close(self) -> None:
        """Release the file; closing twice is fine."""
        self._marker.close()


class Unmarked(Inflight):
    """Marks nothing: for a child process, whose end says nothing about its parent's file."""

    def __init__(self) -> None:
        """Open no file."""

    def begin(self, first: int, end: int) -> None:
        """Mark nothing."""

    def done(self) -> None:
        """Mark nothing."""
