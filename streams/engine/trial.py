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
from contextlib import suppress

from streams.clock import Deadline

PATIENCE_S = 60.0
"""A record that takes longer counts as one that kills."""

_AT = struct.Struct("<q")
_DONE = -1


def find_killer(fold_one: Callable[[int], None], first: int, end: int) -> int | None:
    """The index in [first, end) whose record ends a child that folds them one by one, or None.

    An exception is no killer: the caller meets it itself. A child that takes too long is tried
    once more, because a fork may inherit a lock that another thread held at that moment.
    """
    last, has_ended = _try(fold_one, first, end)
    if not has_ended:
        last, _ = _try(fold_one, first, end)
    return None if last == _DONE else last


def _try(fold_one: Callable[[int], None], first: int, end: int) -> tuple[int, bool]:
    """The last index a child began, _DONE when it came through; and whether it ended by itself."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, on purpose
        child = os.fork()
    if child == 0:
        _child(fold_one, first, end, writing)
    os.close(writing)
    try:
        return _last_reported(reading)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _child(fold_one: Callable[[int], None], first: int, end: int, writing: int) -> None:
    try:
        with suppress(Exception):  # the parent meets the same exception and handles it
            for at in range(first, end):
                os.write(writing, _AT.pack(at))
                fold_one(at)
        os.write(writing, _AT.pack(_DONE))
    finally:
        os._exit(0)  # whatever happens, sys.exit() too: nothing of the parent is unwound here


def _last_reported(reading: int) -> tuple[int, bool]:
    """What the child reported last, _DONE when it made no sound at all; False for a stuck one."""
    last = _DONE
    rest = b""
    deadline = Deadline.after(PATIENCE_S)
    while not deadline.is_over:
        ready, _, _ = select.select([reading], [], [], deadline.left_s)
        if not ready:
            return last, False
        data = os.read(reading, 65_536)
        if not data:
            return last, True
        rest += data
        whole = len(rest) - len(rest) % _AT.size
        if whole:
            last = _AT.unpack_from(rest, whole - _AT.size)[0]
            rest = rest[whole:]
            deadline = Deadline.after(PATIENCE_S)
        if last == _DONE:
            return last, True
    return last, False
