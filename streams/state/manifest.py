"""RocksDB's list of its files, remembered in the rows that the files hold.

RocksDB takes a list whose end is torn off for one that a process had no time to finish: it leaves
out the tables that the end named, and still reads the log behind them. What is found then never
was: old rows beside new ones. So each batch brings a mark of the list as it was at that moment.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

from streams.errors import StoreDamaged

Lists = Mapping[str, bytes]
"""What lists hold, by the names of their files."""


def read_lists(folder: Path) -> Lists:
    """The lists in a folder; before RocksDB opens it, for then it begins another one."""
    return {file.name: file.read_bytes() for file in folder.glob("MANIFEST-*")}


def mark_of(folder: Path) -> bytes:
    """A mark of the present list; StoreDamaged when the folder is gone."""
    try:
        name = (folder / "CURRENT").read_text(encoding="ascii").strip()
        content = (folder / name).read_bytes()
    except FileNotFoundError as exc:
        raise StoreDamaged(f"{folder}: {exc}") from exc
    return f"{name} {len(content)} {zlib.crc32(content)}".encode()


def is_whole(mark: bytes, lists: Lists) -> bool:
    """Whether lists begin with what was marked; one that was replaced since is no matter."""
    name, size, crc = mark.decode().split()
    content = lists.get(name)
    return content is None or (
        len(content) >= int(size) and zlib.crc32(content[: int(size)]) == int(crc)
    )
