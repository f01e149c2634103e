"""A store of which one file is torn or changed: damage that is told, or a whole checkpoint.

Never a mixture: rows of one checkpoint beside those of another would be folded on from there.
"""

from __future__ import annotations

import os
import shutil

import pytest

from streams.errors import StoreDamaged
from streams.state.rocks import RocksStore

CHECKPOINTS = 12
OPENED_EVERY = 4  # what is in the log goes into a table when the store is opened
PLACES = 4
UNREAD = ("LOCK", "LOG")


def rows_of(checkpoint):
    """What a store holds that was saved last at a checkpoint: each changes some rows only."""
    rows = {}
    for number in range(1, checkpoint + 1):
        rows |= {b"s%d" % (number % 5): b"%d " % number * 40, b"m": b"%d" % number}
    return rows


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a store with some tables and a log, as kills of its processes left it."""
    path = tmp_path_factory.mktemp("saved")
    for first in range(1, CHECKPOINTS + 1, OPENED_EVERY):
        store = RocksStore(path)
        for number in range(first, first + OPENED_EVERY):
            store.write({b"s%d" % (number % 5): b"%d " % number * 40, b"m": b"%d" % number})
        killed = tmp_path_factory.mktemp("killed") / "db"
        shutil.copytree(path, killed)
        store.close()
        path = killed
    return path


def tear(file, at):
    os.truncate(file, at)


def flip(file, at):
    found = bytearray(file.read_bytes())
    found[at] ^= 0xFF
    file.write_bytes(found)


def places(file):
    """Positions all over a file; of the list of files, where little is much, very many."""
    size = file.stat().st_size
    step = 3 if file.name.startswith("MANIFEST") else max(1, size // PLACES)
    return range(0, size, step)


def found_in(path):
    """What a store says that it holds: by a scan and by asking, None when it is damaged."""
    try:
        store = RocksStore(path)
    except StoreDamaged:
        return None
    try:
        rows = {key: value for key, value in store.scan(b"") if key[:1] in b"sm"}
        keys = list(rows_of(CHECKPOINTS))
        asked = dict(zip(keys, store.get_many(keys), strict=True))
        assert rows == {key: value for key, value in asked.items() if value is not None}
    except StoreDamaged:
        return None
    finally:
        store.close()
    return rows


def is_one_checkpoint(rows):
    return rows is None or rows == rows_of(int(rows.get(b"m", b"0")))


@pytest.mark.parametrize("harm", [tear, flip])
def test_a_store_with_one_bad_file_is_an_older_checkpoint_or_damaged(saved, tmp_path, harm):
    """Whatever file it is and wherever: also where RocksDB takes what is left for the whole."""
    mixed = []
    for file in sorted(saved.iterdir()):
        if file.name.startswith(UNREAD):
            continue
        for at in places(file):
            copy = tmp_path / f"{file.name}-{at}"
            shutil.copytree(saved, copy)
            harm(copy / file.name, at)
            rows = found_in(copy)
            if not is_one_checkpoint(rows):
                mixed.append((file.name, at, rows))
            shutil.rmtree(copy)

    assert [] == mixed


def test_the_store_that_is_harmed_holds_the_last_checkpoint(saved, tmp_path):
    """Else the test above would try nothing."""
    copy = tmp_path / "copy"
    shutil.copytree(saved, copy)

    assert rows_of(CHECKPOINTS) == found_in(copy)
    assert len(list(saved.glob("*.sst"))) > 1
    assert max(file.stat().st_size for file in saved.glob("*.log")) > 0
