"""Settings of every unit test, a service whose workers are turned by hand, and a client."""

from __future__ import annotations

import pytest
from hypothesis import settings

from streams.engine.slots import Slot
from streams.sdk import EventClient
from streams.settings import EmitSettings
from streams.state.folder import StateFolders
from streams.testing.folders import InMemoryDisk, InMemoryFolders
from tests.unit.engine_bench import Bench
from tests.unit.fake_producer import FakeProducer

settings.register_profile("patient", deadline=None)  # a slow machine is no failure
settings.load_profile("patient")


@pytest.fixture
def disk():
    """State folders in memory, so that a test opens hundreds of them; they outlive a crash."""
    return InMemoryDisk()


@pytest.fixture(autouse=True)
def no_slot_is_left(monkeypatch):
    """Lock files that a test's workers leave open, as a process does, would warn in a later one."""
    taken, take = [], Slot.take

    def remembered(*wanted):
        taken.append(take(*wanted))
        return taken[-1]

    monkeypatch.setattr(Slot, "take", remembered)
    yield
    for slot in taken:
        slot.release()


@pytest.fixture
def bench(tmp_path, disk):
    """The service of likes, with state folders in memory."""
    return Bench(tmp_path, folders=InMemoryFolders(disk))


@pytest.fixture
def bench_on_disk(tmp_path):
    """The service of likes, with RocksDB in real folders."""
    return Bench(tmp_path, folders=StateFolders(tmp_path))


@pytest.fixture
def producer():
    """Where the client's records wait until the test delivers them."""
    return FakeProducer()


@pytest.fixture
def client(producer):
    """A client of that producer; what is left is delivered when the test is over."""
    with EventClient(emit=EmitSettings(), producer=producer) as client:
        yield client
        producer.deliver()
