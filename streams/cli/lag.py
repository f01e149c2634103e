"""`streams lag`: how far services are behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer

from streams.cli.output import JSON_OPTION, json_line, write_line, write_table
from streams.engine.lag import measure
from streams.engine.services import load_service
from streams.engine.skipped import find_skipped
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings
from streams.topics.catalog import Catalog
from streams.topics.declared import service_targets
from streams.topics.project import find_project

_COLUMNS = ("service", "topic", "partition", "position", "end", "records", "seconds", "parked")

_TIMEOUT_S = 20.0
"""Positions of a worker that died in a transaction show when the broker aborts it (15 s)."""


def lag(
    service: str = typer.Argument("", help="One service, such as counters; default: all."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show lag per partition, and in all.

    Records: offsets between the committed position and the read-committed end. Seconds: the age of
    the oldest record not yet processed. Both reach 0 when a service has caught up. Parked: keys
    that are skipped since their handler or result raised: `streams parked list` shows them, and
    `streams parked retry` takes them up. The line whose
    topic is `*` sums a service.
    """
    names = [service] if service else list(service_targets(Catalog.find(), find_project()))
    rows = [row for name in names for row in _rows(name)]
    if as_json:
        for row in rows:
            write_line(json_line(row))
    else:
        write_table(_COLUMNS, [[row[column] for column in _COLUMNS] for row in rows])


def _rows(name: str) -> Iterator[dict[str, Any]]:
    service = load_service(name)
    settings = KafkaSettings()
    reader = KafkaReader(settings)
    admin = KafkaAdmin(settings, timeout_s=_TIMEOUT_S)
    try:
        found = list(measure(admin, reader, service.name, service.inputs))
        parked = find_skipped(service.name, admin, reader).parked_by_source
    finally:
        reader.close()
    for one in found:
        here = parked.get(TopicPartition(one.topic, one.partition), 0)
        yield {"service": service.name, **asdict(one), "parked": here}
    yield {
        "service": service.name,
        "topic": "*",
        "partition": None,
        "position": None,
        "end": None,
        "records": sum(one.records for one in found),
        "seconds": max((one.seconds for one in found), default=0.0),
        "parked": sum(parked.values()),
    }
