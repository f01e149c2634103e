"""Finds the offsets a service had committed, from what it published, and commits them again.

Each record a worker writes says in its `source` header up to which input offset it was made. The
transaction that wrote it also committed that offset, so the highest source of a partition, plus
one, is where its folding goes on: everything below is published, nothing above is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from streams.engine.cut_log import tell_cut
from streams.engine.decisions import ASKED, decision_of
from streams.engine.earlier_topics import changed, made_again, stored_meta
from streams.engine.first_start import described
from streams.engine.group_offsets import write_offsets
from streams.engine.progress import Progress, progress_of, start_positions
from streams.errors import OffsetsMissing, TopicChanged
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import Log, TopicInfo
from streams.ports.records import Committed, Record, TopicPartition
from streams.ports.store import Folders
from streams.state.checkpoint import CheckpointMeta
from streams.views.latest import Progress as Report
from streams.views.latest import unheard

_REPORT_EVERY: Final = 10_000
_SOURCE: Final = re.compile(rb"([A-Za-z0-9._-]+)/(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Restored:
    """One partition: what the group had (None: nothing), what is right, and the note beside it."""

    source: TopicPartition
    found: int | None
    wanted: int
    progress: Progress


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
    starts, ends = admin.starts(sources), admin.ends(sources)
    outputs = _outputs(service, topics)
    total = sum(admin.ends(outputs).values()) - sum(admin.starts(outputs).values())
    admin.close()
    reader = log.reader()
    try:
        records = _counted(reader.read(dict.fromkeys(outputs, 0)), lambda n: report(n, total))
        published = _published(service, topics, records)
    finally:
        reader.close()
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
        position = found[source]
        restored.append(Restored(source, position.offset if position else None, wanted, progress))
    tell_cut({one.source: one.progress.origin for one in restored})
    return restored


def restore_offsets(
    service: Service, log: Log, folders: Folders, report: Report = unheard
) -> list[Restored]:
    """Commit what `find_offsets` finds; InputError, nothing changed, while a worker runs."""
    restored = find_offsets(service, log, folders, report)
    positions = {one.source: Committed(one.wanted, one.progress.text()) for one in restored}
    write_offsets(service, log, positions)
    return restored


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
    before = _note(source, found)
    if meta is None and before is not None:
        return before
    if before is not None and before.topic_id == fresh.topic_id:
        fresh = msgspec.structs.replace(fresh, origin=before.origin)
    elif was_folded:
        fresh = msgspec.structs.replace(fresh, origin=0)
    if meta is None:
        return fresh
    return msgspec.structs.replace(fresh, generation=meta.generation, versions=dict(meta.versions))


def _begun_anew(
    topics: Mapping[str, TopicInfo],
    found: Mapping[TopicPartition, Committed | None],
    earlier: Collection[str],
) -> dict[TopicPartition, int]:
    """Offsets committed since a topic was made again, where all that is published may be older."""
    begun = {}
    for source, position in found.items():
        note = _note(source, position) if source.topic in earlier else None
        if position is not None and note and note.topic_id == topics[source.topic].topic_id:
            begun[source] = position.offset
    return begun


def _note(source: TopicPartition, found: Committed | None) -> Progress | None:
    try:
        return None if found is None else progress_of(source, found, "")
    except OffsetsMissing:
        return None


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


def _outputs(service: Service, topics: Mapping[str, TopicInfo]) -> list[TopicPartition]:
    """Every partition whose records say of what input they were made."""
    names = [*(topic.name for topic in service.output_topics), service.decisions]
    return _partitions(topics, dict.fromkeys(names))


def _counted(records: Iterable[Record], on_count: Callable[[int], None]) -> Iterator[Record]:
    count = 0
    for count, record in enumerate(records, start=1):
        yield record
        if count % _REPORT_EVERY == 0:
            on_count(count)
    on_count(count)


def _published(
    service: Service, topics: Mapping[str, TopicInfo], records: Iterable[Record]
) -> dict[TopicPartition, int]:
    """The highest input offset behind anything published, for each input partition."""
    highest: dict[TopicPartition, int] = {}
    strange: Counter[str] = Counter()
    for record in records:
        made_of = _source(service, record, topics)
        if made_of is None:
            strange[record.topic] += 1
            continue
        source, offset = made_of
        if offset > highest.get(source, -1):
            highest[source] = offset
    _tell_strange(service, strange)
    return highest


def _tell_strange(service: Service, counts: Mapping[str, int]) -> None:
    """A log line for each topic with records that no worker wrote, as workers name the source."""
    for topic, count in counts.items():
        get_logger().warning(
            "passed over records without a readable source header; no worker wrote them",
            action="strange-records",
            service=service.name,
            topic=topic,
            records=count,
        )


def _source(
    service: Service, record: Record, topics: Mapping[str, TopicInfo]
) -> tuple[TopicPartition, int] | None:
    """The input offset up to which a record was made; None for one that no worker wrote."""
    if record.topic == service.decisions:
        decision = decision_of(record)
        is_of_today = decision.topic_id == topics[decision.topic].topic_id
        is_asked = decision.kind in ASKED  # no worker wrote it, and it says nothing of offsets
        return decision.source, decision.at if is_of_today and not is_asked else -1
    for name, value in record.headers:
        if name == "source":
            return _place(value)
    return None


def _place(header: bytes | None) -> tuple[TopicPartition, int] | None:
    match = _SOURCE.fullmatch(header or b"")
    if match is None:
        return None
    topic, partition, offset = match.groups()
    return TopicPartition(topic.decode(), int(partition)), int(offset)


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
