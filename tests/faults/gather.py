"""Collects the evidence of a trial when all is over: logs, positions, stores."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from schemas import counters, social
from services.counters import SERVICE
from streams.avro.codec import Codec
from streams.clock import Deadline
from streams.engine.progress import progress_of
from streams.engine.status import service_home
from streams.errors import StoreDamaged
from streams.events.message import Event, Message, Result
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.ports.records import Committed, Record, TopicPartition
from streams.ports.store import Store
from streams.settings import KafkaSettings
from streams.state.checkpoint import read_meta
from streams.state.codec import StateCodec
from streams.state.rocks import RocksStore
from tests.faults.checker.evidence import End, Seen, StoreDump
from tests.faults.observers import crc_of, source_of
from tests.faults.workload import CATALOG

_READ_S = 120.0
_ASK_S = 30.0
_CHUNK = 10_000

_TYPES = {
    one.avro_name: one
    for module in (social, counters)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, Message) and one not in (Event, Result)
}


def partitions_of(admin: KafkaAdmin, topics: Collection[str]) -> list[TopicPartition]:
    """Every partition that these topics have."""
    found = admin.topics(topics)
    return [TopicPartition(name, at) for name in topics for at in range(found[name].partitions)]


def read_log(
    kafka: KafkaSettings, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, list[Seen]]:
    """All committed records of each partition, decoded."""
    log: dict[TopicPartition, list[Seen]] = {one: [] for one in partitions}
    codec = Codec(CATALOG.registry, _TYPES)
    reader = KafkaReader(kafka)
    try:
        for records in _chunks(reader.read(dict.fromkeys(partitions, 0), Deadline.after(_READ_S))):
            found = codec.decode_many([one.value for one in records])
            for record, message in zip(records, found, strict=True):
                log[TopicPartition(record.topic, record.partition)].append(_seen(record, message))
    finally:
        reader.close()
    return log


def read_ends(admin: KafkaAdmin, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, End]:
    """Where each log ends."""
    committed, written = admin.ends(partitions), admin.ends(partitions, committed=False)
    return {one: End(committed[one], written[one]) for one in partitions}


def read_positions(
    admin: KafkaAdmin, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, Committed]:
    """What the group has committed."""
    found = admin.group_positions(SERVICE.name, partitions, Deadline.after(_ASK_S))
    return {source: one for source, one in found.items() if one is not None}


def dump_stores(
    kafka: KafkaSettings, homes: Collection[Path], positions: dict[TopicPartition, Committed]
) -> list[StoreDump]:
    """Every store in these homes that is of the present generation; nobody may have it open."""
    return [
        dump
        for home in homes
        for folder in sorted((service_home(kafka, home) / "state" / SERVICE.name).glob("*-*"))
        if (folder / "db" / "CURRENT").is_file()
        for dump in _dump(folder, positions)
    ]


def _dump(folder: Path, positions: dict[TopicPartition, Committed]) -> Iterator[StoreDump]:
    topic, _, number = folder.name.rpartition("-")
    source = TopicPartition(topic, int(number.partition(".")[0]))
    progress = progress_of(source, positions[source], SERVICE.name)
    try:
        store = RocksStore(folder / "db")
    except StoreDamaged:
        return  # no worker would use it either
    try:
        meta = read_meta(store)
        if meta is not None and meta.generation == progress.generation:
            yield StoreDump(source, meta.offset, dict(_states(store, topic)))
    finally:
        store.close()


def _states(store: Store, topic: str) -> Iterator[tuple[str, dict[Any, Any]]]:
    for fold in SERVICE.folds:
        if fold.reads == topic:
            codec = StateCodec(fold.name, fold.state)
            keys = list(codec.keys(store))
            yield fold.name, dict(zip(keys, codec.load(keys, store), strict=True))


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    chunk = []
    for record in records:
        chunk.append(record)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _seen(record: Record, message: Any) -> Seen:
    return Seen(
        record.offset,
        record.key,
        crc_of(record),
        message if isinstance(message, Message) else None,
        source_of(record),
    )
