"""Records that cannot be folded: their bytes and the reason, in `<service>.quarantine`."""

from __future__ import annotations

from streams.avro.framing import split
from streams.engine.decisions import PARTITION, Decision, DecisionKind
from streams.errors import Undecodable
from streams.ports.records import Outgoing, Record

MAX_DETAIL = 500
"""Characters of an error's text that are kept."""


def quarantine(
    service: str, topic_id: str, record: Record, reason: str, detail: str
) -> tuple[Outgoing, Decision]:
    """The quarantined record with its reason, and the decision to skip it at its offset."""
    headers = [
        *record.headers,
        ("reason", reason.encode()),
        ("detail", detail[:MAX_DETAIL].encode()),
        ("source", record.source.encode()),
        ("service", service.encode()),
        *_schema_id(record.value),
    ]
    outgoing = Outgoing(f"{service}.quarantine", record.key, record.value, headers, PARTITION)
    decision = Decision(
        kind=DecisionKind.QUARANTINED,
        topic=record.topic,
        topic_id=topic_id,
        partition=record.partition,
        at=record.offset,
        reason=reason,
        detail=detail[:MAX_DETAIL],
    )
    return outgoing, decision


def _schema_id(value: bytes | None) -> list[tuple[str, bytes]]:
    """The header that names the schema, where the bytes name one."""
    try:
        return [("schema_id", str(split(value or b"")).encode())]
    except Undecodable:
        return []
