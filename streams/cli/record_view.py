"""A record of any topic as a line for people or an object for scripts; never fails on its bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from streams.avro.codec import Codec
from streams.avro.limits import Limits
from streams.avro.reasons import Reason
from streams.cli.output import json_line
from streams.errors import Undecodable
from streams.events.message import Message
from streams.ports.records import Record
from streams.topics.catalog import Catalog
from streams.topics.jsonform import to_json

_TOLD_BY_HEADERS: Final = ("reason", "detail", "source", "schema_id", "service")
"""Headers that say why a record was quarantined."""


class RecordView:
    """Shows records with the schemas of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        names = {name for topic in catalog.topics.values() for name in topic.types}
        types = {name: catalog.type(name) for name in names}
        self._codec = Codec(catalog.registry, types, Limits())

    def fields(self, record: Record) -> dict[str, Any]:
        """The content, then `_topic`, `_partition`, `_offset`, `_key` and `_time`."""
        return {
            **self.content(record),
            "_topic": record.topic,
            "_partition": record.partition,
            "_offset": record.offset,
            "_key": text_of(record.key),
            "_time": time_of(record.timestamp_ms),
        }

    def line(self, record: Record) -> str:
        """The same for people: place, time, key, type, fields."""
        content = self.content(record)
        name = content.pop("type", None)
        rest = json_line(content) if content else ""
        parts = (
            record.source,
            time_of(record.timestamp_ms),
            text_of(record.key) or "-",
            name,
            rest,
        )
        return "  ".join(part for part in parts if part)

    def content(self, record: Record) -> dict[str, Any]:
        """The event as JSON, or `_tombstone`, `_json`, or `_undecodable` with the bytes."""
        told = _told(record)
        if record.value is None:
            return {**told, "_tombstone": True}
        if record.value.startswith((b"{", b"[")):
            try:
                return {**told, "_json": json.loads(record.value)}
            except ValueError:
                pass
        try:
            message = self._codec.decode(record.value)
        except Undecodable as exc:
            return {**told, "_undecodable": self._why(exc), "_value": record.value.hex()}
        return {**self._shown(message), **told}

    def _why(self, undecodable: Undecodable) -> str:
        """The reason; of a schema that is not here also whose schemas are."""
        if undecodable.reason != Reason.UNKNOWN_SCHEMA:
            return str(undecodable)
        return (
            f"{undecodable}; the schemas here are those of the package {self._catalog.package} "
            "(see [tool.streams] and STREAMS_SCHEMAS)"
        )

    def _shown(self, message: Message) -> Mapping[str, Any]:
        return to_json(message, self._catalog.schema(type(message)))


def text_of(key: bytes | None) -> str | None:
    """A key as text; bytes that are no UTF-8 are escaped."""
    return None if key is None else key.decode(errors="backslashreplace")


def time_of(timestamp_ms: int) -> str:
    """A record's timestamp, RFC 3339 in UTC."""
    moment = datetime.fromtimestamp(timestamp_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


def _told(record: Record) -> dict[str, str]:
    """Headers of a quarantined record, each with `_` before its name."""
    headers = dict(record.headers)
    if "reason" not in headers:
        return {}
    return {f"_{name}": str(text_of(headers[name])) for name in _TOLD_BY_HEADERS if name in headers}
