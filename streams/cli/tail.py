"""`streams tail`: what is on a topic, decoded, as it comes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice

import typer

from streams.cli.output import JSON_OPTION, json_line, write_line
from streams.cli.record_view import RecordView
from streams.errors import InputError, NotFound
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.kafka.times import offsets_at
from streams.ports.log import LogReader
from streams.ports.records import Record, TopicPartition
from streams.settings import KafkaSettings
from streams.topics.catalog import Catalog


class Origin(StrEnum):
    """The ends of a log."""

    START = "start"
    END = "end"


Offsets = Mapping[TopicPartition, int]


def tail(
    topic: str = typer.Argument(help="Any topic, those of the system included."),
    n: int | None = typer.Option(None, "-n", min=1, help="Stop after this many records."),
    start: str | None = typer.Option(
        None, "--from", help="start, end, an offset, or a time such as 2026-01-31T12:00:00Z."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show the records of a topic, decoded; follows it until Ctrl-C.

    With -n it stops: without --from it shows the last N records there are; with --from the first N
    from there, or as many as there are (from `end` it waits for N new ones).
    """
    origin = parse_origin(start or "end")
    settings = KafkaSettings()
    admin = KafkaAdmin(settings)
    view = RecordView(Catalog.find())
    reader = KafkaReader(settings)
    partitions = _partitions(topic, admin)
    starts, ends = admin.starts(partitions), admin.ends(partitions)
    try:
        if n is not None and start is None:
            records: Iterable[Record | None] = last(reader, starts, ends, n)
        else:
            chosen = _chosen(origin, starts, ends, settings)
            is_endless = n is None or origin is Origin.END
            found = reader.follow(chosen) if is_endless else reader.read(chosen)
            records = _first(found, n)
        for record in records:
            if record is not None:
                write_line(json_line(view.fields(record)) if as_json else view.line(record))
            sys.stdout.flush()
    finally:
        reader.close()


def last(reader: LogReader, starts: Offsets, ends: Offsets, n: int) -> list[Record]:
    """The newest `n` records by time; looks back further while markers leave it short."""
    window = n
    while True:
        froms = {one: max(starts[one], end - window) for one, end in ends.items()}
        found = list(reader.read({one: at for one, at in froms.items() if at < ends[one]}))
        if len(found) >= n or froms == starts:
            found.sort(key=lambda record: (record.timestamp_ms, record.partition, record.offset))
            return found[-n:]
        window *= 4


def parse_origin(text: str) -> Origin | int | datetime:
    """What `--from` means: an end of the log, an offset, or a time (in UTC unless it says so)."""
    if text in set(Origin):
        return Origin(text)
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"found --from {text!r}, wanted start, end, an offset, or a time such as "
            "2026-01-31T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _partitions(topic: str, admin: KafkaAdmin) -> list[TopicPartition]:
    found = admin.topics([topic])
    if topic not in found:
        raise NotFound(f"found no topic {topic!r}, wanted one of: {', '.join(admin.names())}")
    return [TopicPartition(topic, number) for number in range(found[topic].partitions)]


def _chosen(
    origin: Origin | int | datetime, starts: Offsets, ends: Offsets, settings: KafkaSettings
) -> Offsets:
    if isinstance(origin, datetime):
        at = offsets_at(settings, list(starts), int(origin.timestamp() * 1_000))
        return {one: at.get(one, end) for one, end in ends.items()}
    if isinstance(origin, int):
        return {one: min(max(origin, starts[one]), ends[one]) for one in starts}
    return starts if origin is Origin.START else ends


def _first(records: Iterable[Record | None], n: int | None) -> Iterator[Record | None]:
    """At most `n` records; None (nothing came) does not count."""
    if n is None:
        yield from records
        return
    yield from islice((record for record in records if record is not None), n)
