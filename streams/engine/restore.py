"""Finds the offsets a service had committed, from what it published, and commits them again.

Each record a worker writes says in its `source` header up to which input offset it was made. The
transaction that wrote it also committed that offset, so the highest source of a partition, plus
one, is where its folding goes on: everything below is published, nothing above is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from streams.engine.decisions import decision_of
from streams.engine.first_start import described
from streams.engine.group_offsets import write_offsets
from streams.engine.progress import Progress
from streams.errors import StreamsError
from streams.fold.service import Service
from streams.ports.log import Log, LogReader, TopicInfo
from streams.ports.records import Committed, Record, TopicPartition
from streams.state.checkpoint import CheckpointMeta, read_meta
from streams.state.folder import PartitionFolder, partition_path


@dataclass(frozen=True, slots=True)
class Restored:
    """One partition: what the group had (None: nothing), and what is right."""

    source: TopicPartition
    found: int | None
    wanted: int
    has_store: bool


def find_offsets(service: Service, log: Log, home: Path) -> list[Restored]:
    """The right offset of every input partition; reads all that the service ever published."""
    admin = log.admin()
    topics = described(service, admin)
    sources = _partitions(topics, service.inputs)
    found = admin.group_positions(service.name, sources)
    starts = admin.starts(sources)
    admin.close()
    reader = log.reader()
    try:
        published = _published(service, topics, reader)
    finally:
        reader.close()
    restored = []
    for source in sources:
        meta = _store_meta(service, source, topics[source.topic], home)
        wanted = max(
            starts[source], published.get(source, -1) + 1, meta.offset if meta is not None else 0
        )
        position = found[source]
        restored.append(
            Restored(source, position.offset if position else None, wanted, meta is not None)
        )
    return restored


def restore_offsets(service: Service, log: Log, home: Path) -> list[Restored]:
    """Commit what `find_offsets` finds; InputError, nothing changed, while a worker runs."""
    restored = find_offsets(service, log, home)
    admin = log.admin()
    topics = described(service, admin)
    starts = admin.starts([one.source for one in restored])
    admin.close()
    fresh = uuid.uuid4().hex
    positions = {
        one.source: Committed(
            one.wanted, _progress(service, one, topics, starts[one.source], home, fresh).text()
        )
        for one in restored
    }
    write_offsets(service, log, positions)
    return restored


def _progress(
    service: Service,
    one: Restored,
    topics: Mapping[str, TopicInfo],
    start: int,
    home: Path,
    fresh: str,
) -> Progress:
    topic = topics[one.source.topic]
    meta = _store_meta(service, one.source, topic, home)
    return Progress(
        generation=meta.generation if meta is not None else fresh,
        versions=service.versions_of(one.source.topic),
        topic_id=topic.topic_id,
        origin=start,
    )


def _published(
    service: Service, topics: Mapping[str, TopicInfo], reader: LogReader
) -> dict[TopicPartition, int]:
    """The highest input offset behind anything published, for each input partition."""
    names = [*(topic.name for topic in service.output_topics), service.decisions]
    outputs = _partitions(topics, dict.fromkeys(names))
    highest: dict[TopicPartition, int] = {}
    for record in reader.read(dict.fromkeys(outputs, 0)):
        source, offset = _source(service, record)
        if offset > highest.get(source, -1):
            highest[source] = offset
    return highest


def _source(service: Service, record: Record) -> tuple[TopicPartition, int]:
    if record.topic == service.decisions:
        decision = decision_of(record)
        return decision.source, decision.at
    for name, value in record.headers:
        if name == "source":
            topic, partition, offset = value.decode().rsplit("/", 2)
            return TopicPartition(topic, int(partition)), int(offset)
    raise StreamsError(
        f"{record.source} has no `source` header; something else than {service.name} wrote it, so "
        "its offsets cannot be told from its outputs"
    )


def _store_meta(
    service: Service, source: TopicPartition, topic: TopicInfo, home: Path
) -> CheckpointMeta | None:
    """What a store here holds of this topic; None also for one made of a topic that is gone."""
    path = partition_path(home, service.name, *source)
    if not (path / "db" / "CURRENT").is_file():
        return None
    folder = PartitionFolder(path)
    try:
        store = folder.store()
        meta = read_meta(store)
        store.close()
    finally:
        folder.release()
    return meta if meta is not None and meta.topic_id == topic.topic_id else None


def _partitions(topics: Mapping[str, TopicInfo], names: Iterable[str]) -> list[TopicPartition]:
    return [
        TopicPartition(name, number) for name in names for number in range(topics[name].partitions)
    ]
