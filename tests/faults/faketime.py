"""A wall clock that is wrong, for processes of our choice: the machine's own is everybody's.

By libfaketime (Debian's package of that name). Clocks that only count on go on as they should, as
they do where somebody sets a machine's time.
"""

from __future__ import annotations

from pathlib import Path

_LIBRARY = "libfaketimeMT.so.1"
_PLACES = ("/usr/lib", "/usr/local/lib")


def library() -> Path | None:
    """The library to load first into such a process; None if it is not installed."""
    found = (path for place in _PLACES for path in Path(place).glob(f"**/faketime/{_LIBRARY}"))
    return next(found, None)


def why_no_faketime() -> str:
    """Why no clock can be wrong here; empty where one can."""
    return "" if library() else "libfaketime is not installed (Debian: apt-get install libfaketime)"


class FakeClock:
    """The wall clock of the processes that are started with its `environment`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self.jump(0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be started with."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds until a jump is noticed
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def jump(self, offset_s: int) -> None:
        """From now on it is so far from the true time."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{offset_s:+d}\n", encoding="ascii")
        draft.replace(self._file)
