"""The first start of a service: its start offsets are committed before any output.

A missing committed offset is never read as 0. It is a first start only if no input partition has
an offset, no state folder exists and nothing was ever published; then the start offsets are
committed in a transaction whose id all starters share, so that of two hosts one wins. A log whose
first records are gone is not begun unasked: nobody would know what the results leave out.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.clock import Deadline
from streams.engine.cut_log import refuse_cut
from streams.engine.earlier_topics import changed, made_again
from streams.engine.progress import note_of, start_positions
from streams.errors import (
    ConfigurationError,
    Fenced,
    OffsetsMissing,
    TopicChanged,
    TransactionFailed,
    WorkerStopped,
)
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import Log, LogAdmin, TopicInfo
from streams.ports.records import Committed, TopicPartition
from streams.ports.store import Folders

_FIRST_PAUSE_S = 0.2
"""Doubled with each start lost to another worker, so that one of them gets through."""


def ensure_started(service: Service, log: Log, folders: Folders, deadline: Deadline) -> None:
    """Return when every input partition has a committed offset; raises WorkerStopped otherwise.

    Of several workers that start at once one commits the offsets, and the others find them.
    """
    admin = log.admin()
    try:
        topics = described(service, admin)
        sources = [
            TopicPartition(name, number)
            for name in service.inputs
            for number in range(topics[name].partitions)
        ]
        committed = admin.group_positions(service.name, sources)
        refuse_added(service, topics, committed)
        if None not in committed.values():
            return
    finally:
        admin.close()
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            _start(service, log, folders, sources, deadline)
        except (Fenced, TransactionFailed) as exc:
            if deadline.is_over:
                raise TransactionFailed(
                    f"{service.name}: found others that commit its first offsets at the same time, "
                    f"or no answer; the next process looks again: {exc}"
                ) from exc
            deadline.pause(pause_s)  # whoever was faster is about to commit
            pause_s *= 2
        else:
            return


def _start(
    service: Service,
    log: Log,
    folders: Folders,
    sources: list[TopicPartition],
    deadline: Deadline,
) -> None:
    """Commit the start offsets, unless another worker did since they were found missing."""
    admin = log.admin()
    producer = log.transactions(f"{service.name}.start", deadline)
    try:
        consumer = log.consumer(service.name)
        try:
            committed = consumer.committed(sources, deadline)
            if None not in committed.values():
                return
            try:
                positions = _first_positions(service, log, admin, folders, committed)
            except WorkerStopped:
                if None in consumer.committed(sources, deadline).values():
                    raise
                return  # what was found is another worker's, which was faster
            producer.commit([], positions, consumer.member(), deadline)
        finally:
            consumer.close()
    finally:
        producer.discard()
        admin.close()
    get_logger().info("first start", action="first-start", service=service.name)


def _first_positions(
    service: Service,
    log: Log,
    admin: LogAdmin,
    folders: Folders,
    committed: Mapping[TopicPartition, Committed | None],
) -> Mapping[TopicPartition, Committed]:
    """Where to begin; WorkerStopped when something tells that this is no first start."""
    topics = described(service, admin)
    _refuse_made_again(service, committed, topics, log, folders)
    _refuse_restart(service, committed, admin, folders)
    starts = admin.starts(list(committed))
    refuse_cut(service, starts)
    return start_positions(service, topics, starts)


def described(service: Service, admin: LogAdmin) -> Mapping[str, TopicInfo]:
    """The service's topics as the broker has them.

    ConfigurationError names those that are missing, TopicChanged one with another partition count.
    """
    outputs = [topic.name for topic in service.output_topics]
    wanted = dict.fromkeys([*service.inputs, *outputs, service.quarantine, service.decisions])
    topics = admin.topics(list(wanted))
    missing = [name for name in wanted if name not in topics]
    if missing:
        raise ConfigurationError(
            f"{service.name}: found no topic {', '.join(missing)}; run `{service.apply}`"
        )
    for name in (*service.inputs, *outputs):
        declared = service.catalog.topic(name).partitions
        if topics[name].partitions != declared:
            raise TopicChanged(
                f"{name}: found {topics[name].partitions} partitions, wanted {declared}; keys "
                "would move between partitions: see `streams topics diff`, and bring topics.toml "
                "and the broker together before state is folded"
            )
    return topics


def refuse_added(
    service: Service,
    topics: Mapping[str, TopicInfo],
    committed: Mapping[TopicPartition, Committed | None],
) -> None:
    """TopicChanged where positions are those of a topic that had another number of partitions."""
    for source, position in committed.items():
        then, now = note_of(source, position), topics[source.topic]
        if then is None or then.topic_id != now.topic_id:
            continue
        if then.partitions not in (0, now.partitions):
            raise TopicChanged(
                f"{service.name}: found {now.partitions} partitions of {source.topic}, wanted the "
                f"{then.partitions} that were folded: keys go on in other partitions than their "
                "state is in. Kafka takes no partition away: declare a topic of another name, and "
                "fold it as a service of another name"
            )


def _refuse_restart(
    service: Service,
    committed: Mapping[TopicPartition, Committed | None],
    admin: LogAdmin,
    folders: Folders,
) -> None:
    missing = [str(source) for source, position in committed.items() if position is None]
    restore = f"run `{service.restore}`"
    if len(missing) < len(committed):
        raise OffsetsMissing(
            f"{service.name}: found no committed offset for {', '.join(missing[:5])} although "
            f"other partitions have one; {restore}"
        )
    if folders.has_store(service.name):
        place = folders.place(service.name)
        raise OffsetsMissing(
            f"{service.name}: found state in {place}, but the group has no committed offsets: it "
            f"was deleted or they expired; {restore}"
        )
    written = _written(service, admin)
    if not written:
        return
    found = f"{service.name}: found records in {', '.join(written)}, but no committed offsets of"
    if {service.quarantine, service.decisions}.isdisjoint(written):
        raise OffsetsMissing(
            f"{found} the group {service.name}. If another service wrote them, give this one "
            "output topics of its own. If this is a new name of that service, stop the old one for "
            f"good, and {restore} to go on where it ended. If the group was deleted or its offsets "
            f"expired, {restore}"
        )
    raise OffsetsMissing(f"{found} the group: it was deleted or they expired; {restore}")


def _refuse_made_again(
    service: Service,
    committed: Mapping[TopicPartition, Committed | None],
    topics: Mapping[str, TopicInfo],
    log: Log,
    folders: Folders,
) -> None:
    """TopicChanged where an offset is missing because its topic was deleted."""
    missing = {source.topic for source, position in committed.items() if position is None}
    earlier = [name for name in made_again(service, topics, log, folders) if name in missing]
    if earlier:
        raise changed(service, earlier)


def _written(service: Service, admin: LogAdmin) -> list[str]:
    """The topics of a service that hold anything, also of transactions that were aborted."""
    outputs = [topic.name for topic in service.output_topics]
    named = [*outputs, service.quarantine, service.decisions]
    counts = admin.topics(named)
    ends = admin.ends(
        [TopicPartition(name, at) for name in named for at in range(counts[name].partitions)],
        committed=False,
    )
    return sorted({source.topic for source, end in ends.items() if end > 0})
