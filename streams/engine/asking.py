"""Asks a service to fold after all what it skips; works whether it runs or not.

A request is a record in `<service>.decisions`. The owner of the partition tries it, at the latest
when it starts next, and writes the answer behind it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from streams.clock import Deadline
from streams.engine.decisions import Decision, DecisionKind
from streams.ports.log import Log

_TIMEOUT_S: Final = 20.0
_AT_ONCE: Final = 10_000

_REQUESTS: Final = {
    DecisionKind.PARKED: DecisionKind.RETRY_ASKED,
    DecisionKind.QUARANTINED: DecisionKind.REDRIVE_ASKED,
}


def ask(service: str, log: Log, skipped: Sequence[Decision]) -> None:
    """Ask for what these decisions skip: all of it, or where there are over 10,000, a part first.

    They are durable when this returns. Several may ask at once.
    """
    transactional_id = f"{service}.ask.{uuid.uuid4().hex}"
    producer = log.transactions(transactional_id, Deadline.after(_TIMEOUT_S))
    try:
        for first in range(0, len(skipped), _AT_ONCE):
            some = _requests(skipped[first : first + _AT_ONCE])
            producer.commit([one.outgoing(f"{service}.decisions") for one in some], {}, _Nobody())
    finally:
        producer.discard()


class _Nobody:
    """A transaction that sets no positions needs no membership."""

    generation = -1


def _requests(skipped: Sequence[Decision]) -> Iterator[Decision]:
    for one in skipped:
        yield Decision(
            kind=_REQUESTS[one.kind],
            topic=one.topic,
            topic_id=one.topic_id,
            partition=one.partition,
            at=one.at,
            reason="",
            fold=one.fold,
            key=one.key,
        )
