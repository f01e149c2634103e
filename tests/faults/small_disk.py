"""A disk of a few megabytes in the place of a folder, where root may mount one."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

_SIZE = "64m"
_PIECE = bytes(4096)


class SmallDisk:
    """Holds what is in a folder, from `mount` to `unmount`; nobody may be at work in it at either.

    The folder is a link to the disk meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._disk = folder.with_name(f"{folder.name}-disk")

    def mount(self) -> bool:
        """Whether the kernel lets us; if not, nothing is changed."""
        self._disk.mkdir()
        options = ("-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs")
        if not _done("mount", *options, str(self._disk)):
            self._disk.rmdir()
            return False
        shutil.copytree(self._folder, self._disk, dirs_exist_ok=True)
        shutil.rmtree(self._folder)
        self._folder.symlink_to(self._disk)
        return True

    def fill(self, *, leave_bytes: int) -> None:
        """Leave so much room on it and no more."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:  # others write too
            while shutil.disk_usage(self._disk).free > leave_bytes:
                file.write(_PIECE)

    def clear(self) -> None:
        """All its room again, but for what others wrote."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """The folder is a folder again, with what was on the disk."""
        self._folder.unlink()
        shutil.copytree(self._disk, self._folder)
        _done("umount", "--lazy", str(self._disk))  # a child of a killed worker may end later
        self._disk.rmdir()

    @property
    def _ballast(self) -> Path:
        return self._disk / "ballast"


def can_mount(folder: Path) -> bool:
    """Whether the kernel lets us mount a disk below a folder."""
    probe = folder / "probe"
    probe.mkdir()
    disk = SmallDisk(probe)
    is_mounted = disk.mount()
    if is_mounted:
        disk.unmount()
    shutil.rmtree(probe)
    return is_mounted


def _done(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
