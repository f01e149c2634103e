"""Writes committed offsets of a service whose workers are all stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streams.clock import Deadline
from streams.engine.decisions import Decision
from streams.errors import InputError, TransactionFailed
from streams.fold.service import Service
from streams.ports.log import Log
from streams.ports.records import Committed, TopicPartition

_DEADLINE_S = 20.0


def write_offsets(
    service: Service,
    log: Log,
    positions: Mapping[TopicPartition, Committed],
    decisions: Iterable[Decision] = (),
) -> None:
    """Commit `positions` for the service's group, with `decisions` about them.

    InputError, nothing changed, while a worker still runs.

    TransactionFailed when the broker did not take them for another reason.

    The group refuses an offset from a non-member unless it is empty, so no running worker can
    have its offsets moved under it.
    """
    deadline = Deadline.after(_DEADLINE_S)
    outgoing = [one.outgoing(service.decisions) for one in decisions]
    producer = log.transactions(f"{service.name}.start", deadline)
    consumer = log.consumer(service.name)
    try:
        producer.commit(outgoing, positions, consumer.member())
    except TransactionFailed as exc:
        if not exc.is_stale_member:
            raise
        raise InputError(
            f"{service.name}: found running workers, wanted none: stop every `streams run` of this "
            "service first, on all machines (the broker keeps the offsets of a group with members)"
        ) from exc
    finally:
        consumer.close()
        producer.discard()
