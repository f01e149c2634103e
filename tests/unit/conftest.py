"""Settings of every unit test, and a service whose workers are turned by hand."""

from __future__ import annotations

import pytest
from hypothesis import settings

from streams.engine import opening
from tests.unit.engine_bench import Bench, MemoryFolders

settings.register_profile("patient", deadline=None)  # a slow machine is no failure
settings.load_profile("patient")


@pytest.fixture
def folders(monkeypatch):
    """State folders in memory, so that a test opens hundreds of them; they outlive a crash."""
    folders = MemoryFolders()
    monkeypatch.setattr(opening, "PartitionFolder", folders)
    return folders


@pytest.fixture
def bench(tmp_path, folders):
    """The service of likes, with state folders in memory."""
    return Bench(tmp_path)


@pytest.fixture
def bench_on_disk(tmp_path):
    """The service of likes, with RocksDB in real folders."""
    return Bench(tmp_path)
