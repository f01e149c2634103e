"""One suite over both stores, and the folder that holds a real one under its lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.state.folder import FolderLocked, PartitionFolder, partition_path
from streams.state.memory import MemoryStore
from streams.state.rocks import RocksStore

ROOT = Path(__file__).parents[2]
KILLED = (
    "import os, signal, sys; from pathlib import Path; from streams.state.rocks import RocksStore\n"
    "store = RocksStore(Path(sys.argv[1])); store.write({b'a': b'1', b'b': b'2'}, [])\n"
    "os.kill(os.getpid(), signal.SIGKILL)"
)


@pytest.fixture(params=["memory", "rocks"])
def store(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else RocksStore(tmp_path / "db")
    yield store
    store.close()


def test_rows_are_found_in_the_order_asked_for(store):
    """None where there is none; an empty row is one."""
    store.write({b"a": b"1", b"b": b""})

    assert [b"", None, b"1", b"1"] == store.get_many([b"b", b"c", b"a", b"a"])
    assert [] == store.get_many([])


def test_a_batch_deletes_and_then_puts(store):
    """A key in both has its new row."""
    store.write({b"a": b"1", b"b": b"2"})

    store.write({b"a": b"3"}, [b"a", b"b", b"never there"])

    assert [b"3", None] == store.get_many([b"a", b"b"])


def test_a_scan_gives_the_rows_of_a_prefix_in_order(store):
    """Neither those before nor those behind, up to the last byte there is."""
    store.write({key: key for key in (b"a", b"ab", b"ab\0", b"ab\xff\xff", b"ac", b"\xff")})

    assert [b"ab", b"ab\0", b"ab\xff\xff"] == [key for key, _ in store.scan(b"ab")]
    assert [b"\xff"] == [key for key, _ in store.scan(b"\xff")]
    assert [] == list(store.scan(b"b"))


def test_rows_can_be_deleted_while_they_are_scanned(store):
    """Dropping a fold does."""
    store.write({b"a%d" % number: b"" for number in range(5)})

    for key, _ in store.scan(b"a"):
        store.write({}, [key])

    assert [] == list(store.scan(b"a"))


def test_closing_twice_is_fine(store):
    """A worker that ends in an error may do so."""
    store.close()
    store.close()


def test_a_store_that_was_closed_is_not_written_to(tmp_path):
    """Its folder may be another process's by then."""
    store = RocksStore(tmp_path)
    store.close()

    with pytest.raises(OSError, match="was closed"):
        store.write({b"a": b"1"})


def test_rows_survive_a_kill(tmp_path):
    """They are in the log of the store when `write` returns."""
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)

    store = RocksStore(tmp_path)

    assert -signal.SIGKILL == killed.returncode
    assert [b"1", b"2"] == store.get_many([b"a", b"b"])
    assert store.size_bytes > 0
    store.close()


def test_a_folder_has_one_owner(tmp_path):
    """Two would destroy the store; the error says who has it."""
    folder = PartitionFolder(tmp_path)

    with pytest.raises(FolderLocked, match=f"is owned by the process {os.getpid()}") as caught:
        PartitionFolder(tmp_path)
    assert os.getpid() == caught.value.holder
    folder.release()
    folder.release()
    PartitionFolder(tmp_path).release()


def test_a_folder_of_a_dead_owner_is_free(tmp_path):
    """The system lets go of its lock."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from streams.state.folder import PartitionFolder\n"
        "folder = PartitionFolder(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False)

    PartitionFolder(tmp_path).release()


def test_a_folder_knows_whether_it_has_a_store(tmp_path):
    """Opening one makes it."""
    folder = PartitionFolder(tmp_path)
    before = folder.has_store

    folder.store().close()
    folder.release()

    assert not before
    assert folder.has_store


def test_the_last_store_that_was_set_aside_is_kept(tmp_path):
    """For a look; older ones would fill the disk."""
    folder = PartitionFolder(tmp_path)
    for row in (b"older", b"newer"):
        store = folder.store()
        store.write({b"a": row})
        store.close()
        aside = folder.set_aside()
    folder.release()

    store = RocksStore(Path(aside))

    assert [b"newer"] == store.get_many([b"a"])
    assert not folder.has_store
    store.close()


def test_partitions_have_folders_of_their_own(tmp_path):
    """By service, topic and number."""
    paths = {
        partition_path(tmp_path, service, topic, number)
        for service in ("one", "other")
        for topic in ("a", "b")
        for number in (0, 1)
    }

    assert 8 == len(paths)
