"""A small disk of its own under a folder, which can be filled and given back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Self

from streams.clock import Deadline
from streams.local.process import wait_until

WANTED = "only root may mount a disk, and only where there are loop devices"
"""Why something is left out that needs one."""

_CHUNK_BYTES = 1 << 20
_BALLAST = "ballast"
_FREE_WITHIN_S = 10.0


def can_mount() -> bool:
    """Whether this process may make one."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists()


class Disk:
    """An ext4 of `size_mb` in a file, mounted at a folder inside the `with` block."""

    def __init__(self, folder: Path, image: Path, size_mb: int) -> None:
        self._folder = folder
        self._image = image
        self._size_bytes = size_mb << 20

    def fill(self) -> None:
        """Leave not a byte free. May be called again, such as after something was deleted."""
        with (self._folder / _BALLAST).open("ab") as ballast:
            size = _CHUNK_BYTES
            while size:
                try:
                    os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), size)
                except OSError:  # no space for that much
                    size //= 2

    def free(self) -> None:
        """Give the space back; nothing if it was not taken."""
        (self._folder / _BALLAST).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(self._size_bytes)
        _run("mkfs.ext4", "-q", "-m", "0", self._image)
        _run("mount", "-o", "loop", self._image, self._folder)
        (self._folder / "lost+found").rmdir()  # Kafka wants nothing there that is not its own
        return self

    def __exit__(self, *_raised: object) -> None:
        assert wait_until(self._is_unmounted, Deadline.after(_FREE_WITHIN_S)), "somebody uses it"
        self._image.unlink(missing_ok=True)

    def _is_unmounted(self) -> bool:
        """Whether it is; a process that was killed a moment ago may hold it yet."""
        subprocess.run(["umount", self._folder], check=False, capture_output=True)
        return not self._folder.is_mount()


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
