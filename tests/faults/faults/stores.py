"""Harm to the local state of workers: torn, flipped, lost, old, and no room for more."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from services.counters import SERVICE
from streams.clock import Deadline
from streams.engine.status import service_home
from streams.errors import StoreDamaged
from streams.local.process import wait_until
from streams.state.folder import FolderLocked, PartitionFolder
from streams.state.rocks import RocksStore
from tests.faults.scene import Scene
from tests.faults.small_disk import SmallDisk

_AT_WORK_WITHIN_S = 40.0
_TO_START_BYTES = 3_500_000
"""Enough for all stores; less than RocksDB likes to reserve for a list of files (4 MB) or a log."""

_UNREAD = ("LOCK", "LOG")  # files that RocksDB writes and never reads, by the start of their names


class DamagedStores:
    """Every host goes down, and comes back with files that are not as they were written.

    In half of the stores one file is torn, has other bytes, or is gone. To heal is to read all
    stores through, as a check of the disk does: what nobody has met yet is found then.
    """

    name = "damaged-stores"
    hold_s = 3.0

    def inject(self, scene: Scene) -> None:
        with _taken(scene) as folders:
            for folder in _some(scene, folders):
                _harm(scene, folder)
        scene.fleet.start()

    def heal(self, scene: Scene) -> None:
        _check_disks(scene)


class FlippedAtWork:
    """Bytes of table files change under workers that have them open; healed as `DamagedStores`."""

    name = "flipped-at-work"
    hold_s = 4.0

    def inject(self, scene: Scene) -> None:
        for folder in _some(scene, _stores(scene)):
            for file in sorted((folder / "db").glob("*.sst")):
                with suppress(FileNotFoundError):  # a table that is replaced meanwhile
                    _flip(scene, file)

    def heal(self, scene: Scene) -> None:
        _check_disks(scene)


class LostStores:
    """Somebody deletes half of the stores, of workers that are down or, `at_work`, of others."""

    hold_s = 2.0

    def __init__(self, *, at_work: bool = False) -> None:
        self.name = "lost-stores-at-work" if at_work else "lost-stores"
        self._is_at_work = at_work

    def inject(self, scene: Scene) -> None:
        if self._is_at_work:
            _delete(scene, _some(scene, _stores(scene)))
            return
        with _taken(scene) as folders:
            _delete(scene, _some(scene, folders))
        scene.fleet.start()

    def heal(self, scene: Scene) -> None:
        scene.fleet.start()


class StaleStores:
    """State folders are put back from a copy that is some seconds old, as from a backup."""

    name = "stale-stores"
    hold_s = 5.0

    def inject(self, scene: Scene) -> None:
        shutil.rmtree(_copies(scene), ignore_errors=True)
        with _taken(scene) as folders:
            for folder in folders:
                shutil.copytree(folder / "db", _copy_of(scene, folder))
        scene.fleet.start()

    def heal(self, scene: Scene) -> None:
        with _taken(scene) as folders:
            for folder in folders:
                copy = _copy_of(scene, folder)
                if copy.is_dir():
                    shutil.rmtree(folder / "db")
                    shutil.move(copy, folder / "db")
        scene.fleet.start()


class FullDisk:
    """State lies on a small disk of its own, which gets full while workers write to it.

    First there is room enough to start, yet not for what RocksDB likes to reserve; then none.
    Nothing where the kernel lets us mount no disk. Faults that want the same folders do not go with
    it: the disk is put under them and taken away again.
    """

    name = "full-disk"
    hold_s = 8.0

    def __init__(self) -> None:
        self._disks: list[SmallDisk] = []

    def inject(self, scene: Scene) -> None:
        _stop(scene)
        for home in scene.fleet.homes:
            disk = SmallDisk(home)
            if disk.mount():
                self._disks.append(disk)
                disk.fill(leave_bytes=_TO_START_BYTES)
        scene.fleet.start()
        every = sum(SERVICE.catalog.topic(name).partitions for name in SERVICE.inputs)
        is_at_work = wait_until(
            lambda: len(scene.fleet.owners()) == every, Deadline.after(_AT_WORK_WITHIN_S)
        )
        for disk in self._disks:
            disk.fill(leave_bytes=0)
        scene.timeline.note("full", disks=len(self._disks), at_work=is_at_work)

    def heal(self, scene: Scene) -> None:
        for disk in self._disks:
            disk.clear()
        if self._disks:
            _stop(scene)
            while self._disks:
                self._disks.pop().unmount()
        scene.fleet.start()


def _check_disks(scene: Scene) -> None:
    """All hosts go down, every store is read through, and they come back.

    Damage is noted beside the files, as when a worker meets it.
    """
    with _taken(scene) as folders:
        damaged = [folder.name for folder in folders if not _is_whole(folder / "db")]
    scene.timeline.note("disks-checked", stores=len(folders), damaged=damaged)
    scene.fleet.start()


def _is_whole(path: Path) -> bool:
    try:
        store = RocksStore(path)
    except StoreDamaged:
        return False
    try:
        deque(store.scan(b""), maxlen=0)
    except StoreDamaged:
        return False
    finally:
        store.close()
    return True


def _stop(scene: Scene) -> None:
    """All hosts go down."""
    for index in range(scene.fleet.size):
        scene.fleet.kill(index, stays_down=True)


@contextmanager
def _taken(scene: Scene) -> Iterator[list[Path]]:
    """All hosts go down; the folders with a store in them, which nobody else gets meanwhile.

    Another fault may bring workers back at any time, and what they have is left alone.
    """
    _stop(scene)
    with ExitStack() as stack:
        folders = []
        for path in _stores(scene):
            with suppress(FolderLocked):
                stack.callback(PartitionFolder(path).release)
                folders.append(path)
        yield folders


def _stores(scene: Scene) -> list[Path]:
    """Folders that have a store."""
    return [
        folder
        for home in scene.fleet.homes
        for folder in sorted(
            (service_home(scene.kafka, home) / "state" / scene.fleet.service).glob("*-*")
        )
        if (folder / "db").is_dir()
    ]


def _some(scene: Scene, folders: list[Path]) -> list[Path]:
    """Half of them, at least one where there is any."""
    return scene.random.sample(folders, (len(folders) + 1) // 2)


def _harm(scene: Scene, folder: Path) -> None:
    files = [
        file for file in sorted((folder / "db").iterdir()) if not file.name.startswith(_UNREAD)
    ]
    file, harm = scene.random.choice(files), scene.random.choice((_tear, _flip, _lose))
    scene.timeline.note("damage", folder=folder.name, file=file.name, how=harm.__name__)
    harm(scene, file)


def _tear(scene: Scene, file: Path) -> None:
    os.truncate(file, scene.random.randrange(file.stat().st_size + 1))


def _flip(scene: Scene, file: Path) -> None:
    size = file.stat().st_size
    if not size:
        return
    with file.open("r+b") as opened:
        for _ in range(3):
            at = scene.random.randrange(size)
            opened.seek(at)
            (found,) = opened.read(1)
            opened.seek(at)
            opened.write(bytes([found ^ 0xFF]))


def _lose(_scene: Scene, file: Path) -> None:
    file.unlink()


def _delete(scene: Scene, folders: list[Path]) -> None:
    for folder in folders:
        scene.timeline.note("delete", folder=folder.name)
        shutil.rmtree(folder / "db", ignore_errors=True)


def _copies(scene: Scene) -> Path:
    return scene.folder / "scratch" / "stale"


def _copy_of(scene: Scene, folder: Path) -> Path:
    return _copies(scene) / folder.relative_to(scene.folder)
