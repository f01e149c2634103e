"""A `streams` command under trial: `python -m tests.faults.command ARMS VERB …`.

It is the product's own (`streams.cli.main`), with crash points installed from outside.
"""

from __future__ import annotations

import sys
from pathlib import Path

from streams.cli.main import main as streams
from tests.faults.crash_points import CrashPoints


def main(arms: str, *arguments: str) -> None:
    """Run the command to its end, or to the point that is armed."""
    CrashPoints(Path(arms)).install()
    sys.argv[1:] = arguments
    streams()


if __name__ == "__main__":
    main(*sys.argv[1:])
