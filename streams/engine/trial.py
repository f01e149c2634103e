"""Tries in a child process what may have killed the last owner of a partition.

The child is a fork, so it sees the very states that the records meet; what it does to them ends
with it. It uses no thread of its parent.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import warnings
from collections.abc import Callable

from streams.clock import Deadline

PATIENCE_S = 60.0
"""A record that takes longer counts as one that kills."""

_AT = struct.Struct("<q")
_DONE = -1


def find_killer(fold_one: Callable[[int], None], first: int, end: int) -> int | None:
    """The index in [first, end) whose record ends a child that folds them one by one, or None.

    An exception is no killer: the caller meets it itself.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, on purpose
        child = os.fork()
    if child == 0:
        _child(fold_one, first, end, writing)
    os.close(writing)
    try:
        last = _last_reported(reading)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return None if last == _DONE else last


def _child(fold_one: Callable[[int], None], first: int, end: int, writing: int) -> None:
    try:
        for at in range(first, end):
            os.write(writing, _AT.pack(at))
            fold_one(at)
    except Exception:  # noqa: BLE001, S110 the parent meets the same exception and handles it
        pass
    os.write(writing, _AT.pack(_DONE))
    os._exit(0)


def _last_reported(reading: int) -> int:
    """The last index the child began; _DONE when it came through, or it made no sound at all."""
    last = _DONE
    rest = b""
    deadline = Deadline.after(PATIENCE_S)
    while not deadline.is_over:
        ready, _, _ = select.select([reading], [], [], deadline.left_s)
        if not ready:
            break
        data = os.read(reading, 65_536)
        if not data:
            break
        rest += data
        whole = len(rest) - len(rest) % _AT.size
        if whole:
            last = _AT.unpack_from(rest, whole - _AT.size)[0]
            rest = rest[whole:]
            deadline = Deadline.after(PATIENCE_S)
        if last == _DONE:
            break
    return last
