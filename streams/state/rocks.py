"""One RocksDB directory: the rows of one partition of a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
)

_WRITE_BUFFER_BYTES = 16 * 1024 * 1024
_BLOCK_CACHE_BYTES = 32 * 1024 * 1024
_BLOOM_BITS = 10

Row = tuple[bytes, bytes]

# One block cache for all partitions of this process bounds memory however many are owned.
_BLOCKS = Cache(_BLOCK_CACHE_BYTES)


class RocksStore:
    """Implements the `Store` port. Owned by the worker's thread.

    Writes go through the write-ahead log, so they survive a kill of the process; a power cut may
    lose the newest batches, whole, which is an older checkpoint and nothing worse.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._db: Rdict | None = Rdict(str(path), _options(), access_type=AccessType.read_write())

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of `keys`, in their order."""
        return cast("list[bytes | None]", self._open.get([*keys]))

    def write(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """All of it or nothing."""
        batch = WriteBatch(raw_mode=True)
        for key in deletes:
            batch.delete(key)
        for key in sorted(puts):
            batch.put(key, puts[key])
        self._open.write(batch)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows whose key begins with `prefix`, in key order."""
        for key, row in cast("Iterator[Row]", self._open.items(from_key=prefix)):
            if not key.startswith(prefix):
                return
            yield key, row

    @property
    def size_bytes(self) -> int:
        """Bytes of the directory's files."""
        return sum(file.stat().st_size for file in self._path.iterdir() if file.is_file())

    def close(self) -> None:
        """Release files and locks."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

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
