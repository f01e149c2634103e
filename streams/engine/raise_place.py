"""Where in a user's code an error was raised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

_OURS: Final = __name__.partition(".")[0]


def raise_place(error: BaseException) -> str:
    """`file:line` of the raise, `""` when no code of the user's was running.

    The handler or result is the first frame that is not ours. Of the calls below it, the deepest in
    the same package counts: `json/decoder.py` would not tell which of the user's lines is wrong.
    """
    found, package = "", ""
    for frame, line in _frames(error.__traceback__):
        its_package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if not package and its_package != _OURS:
            package = its_package
        if package and its_package == package:
            found = f"{_short(frame.f_code.co_filename)}:{line}"
    return found


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _short(file: str) -> str:
    """A file below the working folder as it is called there."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
