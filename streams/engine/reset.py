"""Starts the state of a service again from the beginning of its log."""

from __future__ import annotations

from collections.abc import Collection

from streams.engine.cut_log import tell_cut
from streams.engine.first_start import described
from streams.engine.group_offsets import write_offsets
from streams.engine.progress import start_positions
from streams.errors import InputError
from streams.fold.service import Service
from streams.ports.log import Log
from streams.ports.records import TopicPartition


def reset_state(
    service: Service, log: Log, topics: Collection[str] = ()
) -> dict[TopicPartition, int]:
    """Fold `topics` (default: all inputs) again from the log's start; returns the new offsets.

    Results are published again, and being upserts end as they were. A fold that emits facts is
    refused, because its facts would be appended a second time. Stores of the old state no longer
    match the offsets and are set aside by the next worker. Raises InputError, nothing changed,
    while a worker runs.
    """
    wanted = _checked(service, topics)
    admin = log.admin()
    infos = described(service, admin)
    sources = [
        TopicPartition(name, number) for name in wanted for number in range(infos[name].partitions)
    ]
    starts = admin.starts(sources)
    admin.close()
    write_offsets(service, log, start_positions(service, infos, starts))
    tell_cut(starts)
    return starts


def _checked(service: Service, topics: Collection[str]) -> list[str]:
    unknown = set(topics) - set(service.inputs)
    if unknown:
        raise InputError(
            f"{service.name} does not read {', '.join(sorted(unknown))}; it reads "
            f"{', '.join(service.inputs)}"
        )
    wanted = [name for name in service.inputs if not topics or name in topics]
    emitting = [fold.name for name in wanted for fold in service.folds_of(name) if fold.emits]
    if emitting:
        others = [name for name in wanted if service.is_resettable(name)]
        hint = " ".join(f"--topic {name}" for name in others)
        raise InputError(
            f"{service.name}: found folds that emit facts ({', '.join(emitting)}), wanted none: "
            "folded again from the start they would emit every fact a second time"
            + (f"; what can be reset is {hint}" if hint else "")
        )
    return wanted
