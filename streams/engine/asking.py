"""Asks a service to fold after all what it skips; works whether it runs or not.

A request is a record in `<service>.decisions`. The owner of the partition tries it, at the latest
when it starts next, and writes the answer behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from streams.clock import Deadline
from streams.engine.decisions import Decision, DecisionKind
from streams.errors import Fenced, InputError
from streams.ports.log import Log

_TIMEOUT_S: Final = 20.0
_AT_ONCE: Final = 10_000

_REQUESTS: Final = {
    DecisionKind.PARKED: DecisionKind.RETRY_ASKED,
    DecisionKind.QUARANTINED: DecisionKind.REDRIVE_ASKED,
}


def ask(service: str, log: Log, skipped: Sequence[Decision]) -> None:
    """Ask for what these decisions skip: all of it, or where there are over 10,000, a part first.

    They are durable when this returns. InputError when somebody else asks at the same moment.
    """
    producer = log.transactions(f"{service}.ask", Deadline.after(_TIMEOUT_S))
    try:
        for first in range(0, len(skipped), _AT_ONCE):
            some = _requests(skipped[first : first + _AT_ONCE])
            producer.commit([one.outgoing(f"{service}.decisions") for one in some], {}, _Nobody())
    except Fenced as exc:
        raise InputError(
            f"{service}: found somebody else who asks at this moment, wanted one at a time; run "
            "the command again"
        ) from exc
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
