"""Finds the offsets a service had committed, from what it published, and commits them again.

Each record a worker writes says in its `source` header up to which input offset it was made. The
transaction that wrote it also committed that offset, so the highest source of a partition, plus
one, is where its folding goes on: everything below is published, nothing above is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from streams.engine.cut_log import tell_cut, tell_skipped
from streams.engine.decisions import Decision, DecisionKind
from streams.engine.earlier_topics import changed, made_again, stored_meta
from streams.engine.first_start import described, refuse_added
from streams.engine.group_offsets import write_offsets
from streams.engine.progress import Progress, note_of, progress_of, start_positions
from streams.engine.published import read_published
from streams.errors import TopicChanged
from streams.fold.service import Service
from streams.ports.log import Log, TopicInfo
from streams.ports.records import Committed, TopicPartition
from streams.ports.store import Folders
from streams.state.checkpoint import CheckpointMeta
from streams.views.latest import Progress as Report
from streams.views.latest import unheard


@dataclass(frozen=True, slots=True)
class Restored:
    """One partition: what the group had (None: nothing), what is right, and the note beside it.

    `gap` are offsets that are gone and were never folded: to restore is to accept that.
    """

    source: TopicPartition
    found: int | None
    wanted: int
    progress: Progress
    gap: range = range(0)


def find_offsets(
    service: Service, log: Log, folders: Folders, report: Report = unheard
) -> list[Restored]:
    """The right offset of every input partition; reads all that the service ever published.

    `report` is told how much of that was read. Raises TopicChanged when something was made of
    records that the log does not hold.
    """
    admin = log.admin()
    topics = described(service, admin)
    sources = _partitions(topics, service.inputs)
    found = admin.group_positions(service.name, sources)
    refuse_added(service, topics, found)
    starts, ends = admin.starts(sources), admin.ends(sources)
    admin.close()
    published = read_published(service, topics, log, report)
    fresh = start_positions(service, topics, starts)
    earlier = made_again(service, topics, log, folders)
    begun = _begun_anew(topics, found, earlier)
    _refuse_made_again(service, earlier, published.keys() - begun.keys())
    published |= {source: offset - 1 for source, offset in begun.items()}
    restored = []
    for source in sources:
        meta = _store_meta(service, source, topics[source.topic], folders)
        saved = meta.offset if meta is not None else 0
        wanted = max(starts[source], published.get(source, -1) + 1, saved)
        _check_end(service, source, wanted, ends[source])
        reached = max(published.get(source, -1) + 1, saved, _folded_to(source, found, topics))
        new = progress_of(source, fresh[source], "")
        was_folded = source in published or meta is not None
        progress = _progress(source, found[source], meta, new, was_folded=was_folded)
        if progress.topic_id != new.topic_id:
            if source in published:
                raise TopicChanged(
                    f"{source}: what was published was made of a topic of this name that is gone: "
                    f"{service.way_back(source.topic)}"
                )
            progress = new
        gap = range(reached, wanted) if reached > progress.origin else range(0)
        position = found[source]
        before = position.offset if position else None
        restored.append(Restored(source, before, wanted, progress, gap))
    tell_cut({one.source: one.progress.origin for one in restored})
    tell_skipped({one.source: one.gap for one in restored})
    return restored


def restore_offsets(
    service: Service, log: Log, folders: Folders, report: Report = unheard
) -> list[Restored]:
    """Commit what `find_offsets` finds; InputError, nothing changed, while a worker runs."""
    restored = find_offsets(service, log, folders, report)
    positions = {one.source: Committed(one.wanted, one.progress.text()) for one in restored}
    write_offsets(service, log, positions, [_skipped(one) for one in restored if one.gap])
    return restored


def _skipped(restored: Restored) -> Decision:
    """What is accepted, for whoever opens the partition: a state from before the gap is whole."""
    return Decision(
        kind=DecisionKind.SKIPPED,
        topic=restored.source.topic,
        topic_id=restored.progress.topic_id,
        partition=restored.source.partition,
        at=restored.gap.start,
        up_to=restored.gap.stop - 1,
        reason="the log does not hold them any more",
    )


def _progress(
    source: TopicPartition,
    found: Committed | None,
    meta: CheckpointMeta | None,
    fresh: Progress,
    *,
    was_folded: bool,
) -> Progress:
    """The note to write: of the folds that made the state, not of those declared today.

    Where folding began is not known without the note of then: at 0, to be safe. So a log that was
    cut since does not pass for a whole one if the store is lost as well.
    """
    before = note_of(source, found)
    if meta is None and before is not None:
        return before
    if before is not None and before.topic_id == fresh.topic_id:
        fresh = msgspec.structs.replace(fresh, origin=before.origin)
    elif was_folded:
        fresh = msgspec.structs.replace(fresh, origin=0)
    if meta is None:
        return fresh
    return msgspec.structs.replace(fresh, generation=meta.generation, versions=dict(meta.versions))


def _folded_to(
    source: TopicPartition,
    found: Mapping[TopicPartition, Committed | None],
    topics: Mapping[str, TopicInfo],
) -> int:
    """The committed offset, where it is one of a worker and of this topic; else 0."""
    position = found[source]
    note = note_of(source, position)
    if position is None or note is None or note.topic_id != topics[source.topic].topic_id:
        return 0
    return position.offset


def _begun_anew(
    topics: Mapping[str, TopicInfo],
    found: Mapping[TopicPartition, Committed | None],
    earlier: Collection[str],
) -> dict[TopicPartition, int]:
    """Offsets committed since a topic was made again, where all that is published may be older."""
    begun = {}
    for source, position in found.items():
        note = note_of(source, position) if source.topic in earlier else None
        if position is not None and note and note.topic_id == topics[source.topic].topic_id:
            begun[source] = position.offset
    return begun


def _refuse_made_again(
    service: Service, earlier: Collection[str], published: Collection[TopicPartition]
) -> None:
    """TopicChanged where something was made of a topic that is gone; else it is a first start."""
    of_earlier = [name for name in earlier if any(one.topic == name for one in published)]
    if of_earlier:
        raise changed(service, of_earlier)


def _check_end(service: Service, source: TopicPartition, wanted: int, end: int) -> None:
    if wanted > end:
        raise TopicChanged(
            f"{source}: something was made of records up to {wanted}, but the log ends at {end}; "
            "the topic was deleted and made again, or lost records: bring its records back; else "
            f"{service.way_back(source.topic)}"
        )


def _store_meta(
    service: Service, source: TopicPartition, topic: TopicInfo, folders: Folders
) -> CheckpointMeta | None:
    """What a store here holds of this topic; None also for one made of a topic that is gone."""
    meta = stored_meta(service, source, folders)
    return meta if meta is not None and meta.topic_id == topic.topic_id else None


def _partitions(topics: Mapping[str, TopicInfo], names: Iterable[str]) -> list[TopicPartition]:
    return [
        TopicPartition(name, number) for name in names for number in range(topics[name].partitions)
    ]
