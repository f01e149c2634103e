"""Starts the state of a service again from the beginning of its log."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.engine.cut_log import tell_cut
from streams.engine.decisions import Decision, DecisionKind
from streams.engine.earlier_topics import made_again
from streams.engine.first_start import described, refuse_added
from streams.engine.group_offsets import write_offsets
from streams.engine.progress import note_of, start_positions
from streams.engine.published import output_partitions
from streams.errors import InputError
from streams.fold.service import Service
from streams.ports.log import Log, LogAdmin, TopicInfo
from streams.ports.records import TopicPartition
from streams.ports.store import Folders


def reset_state(
    service: Service, log: Log, folders: Folders, topics: Collection[str] = ()
) -> dict[TopicPartition, int]:
    """Fold `topics` (default: all inputs) again from the log's start; returns the new offsets.

    Results are published again, and being upserts end as they were. A fold that emits facts is
    refused, because its facts would be appended a second time; unless the topic was deleted and
    made again, so that nothing of what it holds was ever folded. Stores of the old state no longer
    match the offsets and are set aside by the next worker. Raises InputError, nothing changed,
    while a worker runs.
    """
    wanted = _known(service, topics)
    admin = log.admin()
    infos = described(service, admin)
    sources = [
        TopicPartition(name, number) for name in wanted for number in range(infos[name].partitions)
    ]
    renewed = _renewed(service, infos, log, folders, admin, sources)
    _refuse_emitting(service, [name for name in wanted if name not in renewed])
    starts = admin.starts(sources)
    outputs = output_partitions(service, infos)
    ends = {str(place): end for place, end in admin.ends(outputs, committed=False).items()}
    admin.close()
    begun = [
        _begun_anew(source, infos[source.topic], start, ends)
        for source, start in starts.items()
        if source.topic in renewed
    ]
    write_offsets(service, log, start_positions(service, infos, starts), begun)
    tell_cut(starts)
    return starts


def _renewed(
    service: Service,
    infos: Mapping[str, TopicInfo],
    log: Log,
    folders: Folders,
    admin: LogAdmin,
    sources: Collection[TopicPartition],
) -> set[str]:
    """Topics that are others than those of their names which were folded."""
    committed = admin.group_positions(service.name, sources)
    refuse_added(service, infos, committed)
    notes = {source: note_of(source, position) for source, position in committed.items()}
    of_today = {
        source.topic
        for source, note in notes.items()
        if note is not None and note.topic_id == infos[source.topic].topic_id
    }
    of_then = {source.topic for source, note in notes.items() if note is not None} - of_today
    return of_then | (set(made_again(service, infos, log, folders)) - of_today)


def _begun_anew(
    source: TopicPartition, topic: TopicInfo, start: int, ends: Mapping[str, int]
) -> Decision:
    return Decision(
        kind=DecisionKind.BEGUN_ANEW,
        topic=source.topic,
        topic_id=topic.topic_id,
        partition=source.partition,
        at=start,
        reason="the topic was deleted and made again",
        ends=dict(ends),
    )


def _known(service: Service, topics: Collection[str]) -> list[str]:
    unknown = set(topics) - set(service.inputs)
    if unknown:
        raise InputError(
            f"{service.name} does not read {', '.join(sorted(unknown))}; it reads "
            f"{', '.join(service.inputs)}"
        )
    return [name for name in service.inputs if not topics or name in topics]


def _refuse_emitting(service: Service, topics: Collection[str]) -> None:
    emitting = [fold.name for name in topics for fold in service.folds_of(name) if fold.emits]
    if emitting:
        others = [name for name in service.inputs if service.is_resettable(name)]
        hint = " ".join(f"--topic {name}" for name in others)
        raise InputError(
            f"{service.name}: found folds that emit facts ({', '.join(emitting)}), wanted none: "
            "folded again from the start they would emit every fact a second time"
            + (f"; what can be reset is {hint}" if hint else "")
        )
