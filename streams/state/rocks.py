"""One RocksDB directory: the rows of one partition of a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, cast

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
)

from streams.errors import StoreDamaged
from streams.state.manifest import Lists, is_whole, mark_of, read_lists

_WRITE_BUFFER_BYTES = 16 * 1024 * 1024
_BLOCK_CACHE_BYTES = 32 * 1024 * 1024
_BLOOM_BITS = 10

_DAMAGED: Final = "DAMAGED"
"""A file beside those of RocksDB: damage that was met once, for whoever opens the store next."""

_DAMAGE: Final = ("Corruption", "IO error: No such file or directory")
"""How RocksDB begins to tell of it. What else it may say, such as a full disk, is of the moment."""

_MARK: Final = b"f"
"""The row of this file: RocksDB's list of files as it was at the newest batch."""

# One block cache for all partitions of this process bounds memory however many are owned.
_BLOCKS = Cache(_BLOCK_CACHE_BYTES)


class RocksStore:
    """Implements the `Store` port. Owned by the worker's thread.

    Writes go through the write-ahead log, so they survive a kill of the process; a power cut may
    lose the newest batches, whole, which is an older checkpoint and nothing worse. StoreDamaged,
    from any call, tells that files were torn, changed or lost; so does every opening after that.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._db: Rdict | None = None
        if (path / _DAMAGED).exists():
            raise StoreDamaged(f"{path}: damage was met before")
        lists = read_lists(path)
        with self._watched():
            self._db = Rdict(str(path), _options(), access_type=AccessType.read_write())
        try:
            self._check(lists)
        except StoreDamaged:
            self.close()
            raise

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of `keys`, in their order."""
        with self._watched():
            return cast("list[bytes | None]", self._open.get([*keys]))

    def write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """All of it or nothing."""
        batch = WriteBatch(raw_mode=True)
        for key in deletes:
            batch.delete(key)
        for key in sorted(puts):
            batch.put(key, puts[key])
        batch.put(_MARK, mark_of(self._path))
        with self._watched():
            self._open.write(batch)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key begins with `prefix`, in key order.

        A damaged block ends RocksDB's iterator as the last row does; only its status tells.
        """
        rows = self._open.iter()
        rows.seek(prefix)
        while rows.valid():
            key = cast("bytes", rows.key())
            if not key.startswith(prefix):
                return
            yield key, cast("bytes", rows.value())
            rows.next()
        with self._watched():
            rows.status()

    @property
    def size_bytes(self) -> int:
        """Bytes of the directory's files."""
        return sum(file.stat().st_size for file in self._path.iterdir() if file.is_file())

    def close(self) -> None:
        """Release files and locks; damage that shows only now is left to the next owner."""
        db, self._db = self._db, None
        if db is not None:
            with suppress(StoreDamaged), self._watched():
                db.close()

    def _check(self, lists: Lists) -> None:
        mark = self.get_many([_MARK])[0]
        if mark is not None and not is_whole(mark, lists):
            self._note_damage()
            raise StoreDamaged(f"{self._path}: the end of RocksDB's list of files was lost")

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell damage from other failures, and leave a note of it."""
        try:
            yield
        except Exception as exc:  # rocksdict raises nothing narrower
            if not str(exc).startswith(_DAMAGE):
                raise
            self._note_damage()
            raise StoreDamaged(f"{self._path}: {exc}") from exc

    def _note_damage(self) -> None:
        with suppress(OSError):  # without the note the next owner meets the damage itself
            (self._path / _DAMAGED).touch()

    @property
    def _open(self) -> Rdict:
        if self._db is None:
            raise OSError(f"the store in {self._path} was closed")
        return self._db


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)  # noqa: FBT003 it takes no keywords
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(_WRITE_BUFFER_BYTES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    options.set_max_total_wal_size(4 * _WRITE_BUFFER_BYTES)
    options.set_use_adaptive_mutex(True)
    blocks = BlockBasedOptions()
    blocks.set_bloom_filter(_BLOOM_BITS, block_based=False)
    blocks.set_block_cache(_BLOCKS)
    options.set_block_based_table_factory(blocks)
    return options
