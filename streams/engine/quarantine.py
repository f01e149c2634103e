"""Records that cannot be folded: their bytes and the reason, in `<service>.quarantine`."""

from __future__ import annotations

from streams.avro.framing import split
from streams.engine.decisions import PARTITION, Decision, DecisionKind
from streams.errors import Undecodable
from streams.ports.records import Outgoing, Record

MAX_DETAIL = 500
"""Characters of an error's text that are kept."""


MAX_KEPT_BYTES = 3_000_000
"""A larger record stays where it is: its quarantine has the reason and the place only."""


def quarantine(
    service: str, topic_id: str, record: Record, *, reason: str, detail: str
) -> tuple[Outgoing, Decision]:
    """The quarantined record with its reason, and the decision to skip it at its offset."""
    is_kept = _size_bytes(record) <= MAX_KEPT_BYTES
    headers = [
        *(record.headers if is_kept else [("omitted_bytes", str(_size_bytes(record)).encode())]),
        ("reason", reason.encode()),
        ("detail", detail[:MAX_DETAIL].encode()),
        ("source", record.source.encode()),
        ("topic_id", topic_id.encode()),
        ("service", service.encode()),
        *_schema_id(record.value),
    ]
    key, value = (record.key, record.value) if is_kept else (None, None)
    outgoing = Outgoing(f"{service}.quarantine", key, value, headers, PARTITION)
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


def _size_bytes(record: Record) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _schema_id(value: bytes | None) -> list[tuple[str, bytes]]:
    """The header that names the schema, where the bytes name one."""
    try:
        return [("schema_id", str(split(value or b"")).encode())]
    except Undecodable:
        return []
