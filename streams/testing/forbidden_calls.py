"""Notices where code asks the clock or chance: a fold's answer must not depend on them."""

from __future__ import annotations

import gc
import random
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

_CLOCK: Final = frozenset(
    {"time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
     "time.perf_counter_ns", "time.localtime", "time.gmtime", "time.ctime", "datetime.now",
     "datetime.utcnow", "datetime.today", "date.today"}
)  # fmt: skip
_CHANCE: Final = frozenset({"posix.urandom", "nt.urandom", "_uuid.generate_time_safe"})
_SHARED: Final = getattr(random.random, "__self__", None)
_CALLER: Final = "streams.testing.plain_fold"
_PYTHONS_OWN: Final = (sysconfig.get_path("stdlib"), "<frozen")
_MAY_ASK: Final = frozenset({"logging", "structlog", "warnings"})
"""Who writes a log line may look at the clock."""


class ForbiddenCall(NamedTuple):
    """What was asked, by which line of the user's, and what to do instead."""

    what: str
    place: str
    instead: str


@contextmanager
def noticed() -> Iterator[list[ForbiddenCall]]:
    """The calls that handlers and results make in this block; each place once."""
    found: list[ForbiddenCall] = []

    def look(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and (asked := _asked(called)) and (place := _place(frame)):
            call = ForbiddenCall(asked[0], place, asked[1])
            if call not in found:
                found.append(call)

    before, was_collecting = sys.getprofile(), gc.isenabled()
    gc.disable()  # what programs hang into the collector would seem to be asked by a handler
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)
        if was_collecting:
            gc.enable()


def _asked(called: Any) -> tuple[str, str] | None:
    """What a built-in function asks, and what to do instead; None for a harmless one."""
    owner = getattr(called, "__self__", None)
    if isinstance(owner, type):
        name = f"{owner.__name__}.{called.__name__}"
    else:
        name = f"{getattr(called, '__module__', '')}.{called.__name__}"
    if name in _CLOCK:
        return f"asks the clock ({name})", "take the time from the event: event.time"
    if name in _CHANCE or (owner is _SHARED and _SHARED is not None):
        return "draws at random", "let whoever emits the event draw, and put it into the event"
    return None


def _place(frame: FrameType | None) -> str:
    """The innermost line that is neither ours nor Python's; empty where a log line is written."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        top = module.partition(".")[0]
        if top in _MAY_ASK or module == _CALLER:
            return ""
        if top != "streams" and not frame.f_code.co_filename.startswith(_PYTHONS_OWN):
            return f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _short(file: str) -> str:
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
