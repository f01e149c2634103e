"""Files of a store that are not as they were written: never served, made again from the log."""

from __future__ import annotations

import random
import shutil

import pytest

from streams.errors import StoreDamaged
from streams.state.folder import partition_path
from streams.state.rocks import RocksStore
from tests.unit.engine_bench import home_of, liked, photos_on

USERS = [7**number % 2**61 for number in range(30, 50)]  # bytes that do not compress
ROWS = {b"a%05d" % number: random.Random(number).randbytes(100) for number in range(20_000)}


def flip(file, at):
    """One byte is another."""
    found = bytearray(file.read_bytes())
    found[at] ^= 0xFF
    file.write_bytes(found)


def halve(file):
    """Torn: the end never came to the disk."""
    found = file.read_bytes()
    file.write_bytes(found[: len(found) // 2])


@pytest.fixture
def folder(tmp_path):
    """The folder of a store whose rows are in a table file."""
    store = RocksStore(tmp_path / "db")
    store.write(ROWS)
    store.close()
    RocksStore(tmp_path / "db").close()  # what is in the log goes into a table at the next start
    return tmp_path / "db"


def table(folder):
    """A file that holds rows."""
    return max(folder.glob("*.sst"), key=lambda file: file.stat().st_size)


def test_a_scan_over_a_damaged_block_raises_and_does_not_end_early(folder):
    """A collection that lacks its last changes would be served as if it were whole."""
    flip(table(folder), at=40_000)
    store = RocksStore(folder)

    with pytest.raises(StoreDamaged, match="checksum"):
        list(store.scan(b"a"))


def test_a_row_in_a_damaged_block_is_not_found_missing(folder):
    """It would be made anew, and count from nothing."""
    flip(table(folder), at=40_000)
    store = RocksStore(folder)

    with pytest.raises(StoreDamaged, match="checksum"):
        store.get_many(list(ROWS))


def test_damage_that_was_met_once_is_remembered(folder):
    """Whoever opens it next may not come across that block until much later."""
    flip(table(folder), at=40_000)
    with pytest.raises(StoreDamaged):
        list(RocksStore(folder).scan(b"a"))

    with pytest.raises(StoreDamaged, match="met before"):
        RocksStore(folder)


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: halve(table(folder)),
        lambda folder: table(folder).unlink(),
        lambda folder: flip(next(folder.glob("MANIFEST-*")), 20),
        lambda folder: next(folder.glob("MANIFEST-*")).unlink(),
        lambda folder: (folder / "CURRENT").unlink(),
        lambda folder: flip(folder / "CURRENT", 3),
    ],
    ids=["torn", "lost", "flipped list", "lost list", "lost current", "flipped current"],
)
def test_a_store_that_cannot_be_opened_is_damaged(folder, harm):
    """Not an error of the moment, which would be met again at each start, for ever."""
    harm(folder)

    with pytest.raises(StoreDamaged):
        RocksStore(folder)


def test_a_torn_log_is_an_older_checkpoint(tmp_path):
    """Batches are whole or not there, so what is left belongs to the offset that is left."""
    store = RocksStore(tmp_path)
    for number in (b"1", b"2"):
        store.write({b"offset": number, b"row": number * 1_000})
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tmp_path.iterdir():
        if file.is_file():
            shutil.copy(file, copy)
    log = next(copy.glob("*.log"))
    log.write_bytes(log.read_bytes()[:-500])

    torn = RocksStore(copy)

    assert [b"1", b"1" * 1_000] == torn.get_many([b"offset", b"row"])
    store.close()


def test_no_room_on_the_disk_is_no_damage(folder, monkeypatch):
    """The store is whole; only this process cannot go on."""
    store = RocksStore(folder)
    monkeypatch.setattr(store, "_db", Full())

    with pytest.raises(Exception, match="No space left") as caught:
        store.write({b"a": b"1"})

    assert not isinstance(caught.value, StoreDamaged)
    RocksStore(folder.parent / "other").close()


class Full:
    """A database whose disk is full."""

    def write(self, _batch):
        raise Exception("IO error: No space left on device: While appending to file")


def store_path(bench):
    return partition_path(bench.home, bench.service.name, *home_of(5)) / "db"


@pytest.mark.parametrize("when", ["at the start", "at work"])
def test_a_worker_makes_a_damaged_store_again_from_the_log(bench_on_disk, when, caplog):
    """No crash at each start, no human, nothing lost: results and facts are those of the log."""
    bench = bench_on_disk
    photos = list(photos_on(home_of(5).partition, 300))
    worker = bench.worker()
    bench.emit(*(liked(user, photo) for photo in photos for user in USERS))
    worker.drain()
    worker.stop()
    path = store_path(bench)
    RocksStore(path).close()
    if when == "at the start":
        halve(table(path))
    else:
        for file in path.glob("*.sst"):
            flip(file, at=file.stat().st_size // 3)

    worker = bench.worker()
    bench.emit(*(liked(1, photo) for photo in photos))
    if when == "at work":
        with pytest.raises(StoreDamaged):
            worker.drain()
        worker.crash()
        worker = bench.worker()
    worker.drain()
    worker.stop()

    assert {21} == set(bench.counts().values())
    assert 300 * 21 == len(bench.facts())
    assert "set aside and made anew" in caplog.text
