"""The program of a worker under trial: `python -m tests.faults.worker SERVICE SLOT ARMS [BUG]`.

It is the product's own (`streams.engine.process`), with crash points, planted bugs, schemas that
hurt and versions of folds installed from outside. Nothing in `streams/` knows of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from streams.engine import process
from tests.faults import deployed, hostile
from tests.faults.crash_points import CrashPoints
from tests.faults.planted import plant


def main(service: str, slot: str, arms: str, bug: str = "") -> int:
    """The worker's exit code."""
    deployed.deploy()
    hostile.make_known()
    CrashPoints(Path(arms)).install()
    if bug:
        plant(bug)
    return process.main([service, slot])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
