"""Reads single records of an input again, from where they stand in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from streams.clock import Deadline, Drain
from streams.errors import NotFound
from streams.ports.log import LogReader
from streams.ports.records import Record, TopicPartition

_NEAR = 5_000
"""Records that are read on to faster than a new beginning is made."""

_PATIENCE_S = 20.0


class Originals:
    """Owned by the worker's thread, which waits for what it asks for.

    Most workers never need it: a reader is opened when it is first asked.
    """

    def __init__(self, open_reader: Callable[[], LogReader], drain: Drain) -> None:
        self._open = open_reader
        self._reader: LogReader | None = None
        self._drain = drain

    def read(self, source: TopicPartition, offsets: Iterable[int]) -> Iterator[Record | None]:
        """The record at each offset; None for one that the log does not hold any more.

        Offsets that ascend cost least. BrokerUnavailable when nothing comes in time.
        """
        ahead: Iterator[Record] = iter(())
        position: int | None = None
        for offset in offsets:
            if position is None or not position <= offset < position + _NEAR:
                ahead = self._from(source, offset)
            last = next((one for one in ahead if one.offset >= offset), None)
            position = None if last is None else last.offset + 1
            yield last if last is not None and last.offset == offset else None

    def close(self) -> None:
        """Release the connection, if there is one."""
        if self._reader is not None:
            self._reader.close()

    def _from(self, source: TopicPartition, offset: int) -> Iterator[Record]:
        if self._reader is None:
            self._reader = self._open()
        deadline = Deadline.after(_PATIENCE_S, self._drain)
        try:
            yield from self._reader.read({source: offset}, deadline)
        except NotFound:  # retention removed it
            return
