"""Runs a module of this repository as a user types it, on the suite's Kafka."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from streams.settings import child_environment
from tests.acceptance.datasets import REPOSITORY


def run_module(
    *arguments: str, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """What `python -m` with these arguments said, and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=REPOSITORY,
        env=child_environment(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
