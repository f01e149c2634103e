"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from streams.local.jars import KAFKA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This machine and the versions of what runs on it."""

    cpu: str
    cores: int
    memory_gb: float
    commit: str

    @classmethod
    def here(cls) -> Machine:
        """What is found."""
        return cls(
            cpu=_cpu(),
            cores=os.cpu_count() or 1,
            memory_gb=psutil.virtual_memory().total / 1e9,
            commit=_commit(),
        )

    def describe(self) -> str:
        """One sentence of it."""
        return (
            f"{self.cores} cores ({self.cpu}), {self.memory_gb:.0f} GB, {platform.system()}; "
            f"Python {platform.python_version()} ({_build()}), Kafka {KAFKA_VERSION}, "
            f"confluent-kafka {version('confluent-kafka')}; Millrace at commit {self.commit}"
        )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _build() -> str:
    """Which build of the interpreter runs: one without its optimisations is a fifth slower."""
    return f"built {platform.python_build()[1]}, {platform.python_compiler()}"


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"
