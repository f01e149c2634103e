"""Input topics that were deleted and made again, told by what a service remembers of them.

The broker drops the committed offsets of a deleted topic, so that its group looks like one that
was lost. But offsets of the old topic mean other records, and restoring them would skip new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress

from streams.engine.decisions import PARTITION, decision_of
from streams.errors import StoreDamaged, TopicChanged
from streams.fold.service import Service
from streams.ports.log import Log, TopicInfo
from streams.ports.records import TopicPartition
from streams.ports.store import Folders
from streams.state.checkpoint import CheckpointMeta, read_meta
from streams.state.folder import FolderLocked


def made_again(
    service: Service, topics: Mapping[str, TopicInfo], log: Log, folders: Folders
) -> list[str]:
    """Inputs of which stores here and decisions know other ids than today's, and not today's."""
    known = {name: _stored_ids(service, name, topics[name], folders) for name in service.inputs}
    reader = log.reader()
    try:
        for record in reader.read({TopicPartition(service.decisions, PARTITION): 0}):
            decision = decision_of(record)
            known.setdefault(decision.topic, set()).add(decision.topic_id)
    finally:
        reader.close()
    return [
        name for name in service.inputs if known[name] and topics[name].topic_id not in known[name]
    ]


def changed(service: Service, topics: list[str]) -> TopicChanged:
    """The error about topics that were made again, with the way on."""
    return TopicChanged(
        f"{service.name}: found {', '.join(topics)} deleted and made again since it was folded, "
        "so offsets of then mean other records. To begin anew with what is there now, and keep "
        f"what was published of the old records: run `{service.reset_of(*topics)}`"
    )


def stored_meta(
    service: Service, source: TopicPartition, folders: Folders
) -> CheckpointMeta | None:
    """What a store here says of itself; None for a damaged one, whose next owner says so.

    FolderLocked while a worker owns it.
    """
    if not folders.has_store(service.name, source):
        return None
    folder = folders.take(service.name, source)
    try:
        with suppress(StoreDamaged), closing(folder.store()) as store:
            return read_meta(store)
    finally:
        folder.release()
    return None


def _stored_ids(service: Service, name: str, topic: TopicInfo, folders: Folders) -> set[str]:
    ids = set()
    for number in range(topic.partitions):
        try:
            meta = stored_meta(service, TopicPartition(name, number), folders)
        except FolderLocked:  # its owner is at work and will say what it finds
            continue
        if meta is not None:
            ids.add(meta.topic_id)
    return ids
