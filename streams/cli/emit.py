"""`streams emit`: send the events of a JSON-lines file."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import typer

from streams.cli.event_lines import checked, events, opened
from streams.cli.output import JSON_OPTION, json_line, progress_bar, write_line
from streams.cli.sending import Sending
from streams.errors import InputError
from streams.sdk import EventClient
from streams.settings import EmitSettings
from streams.topics.catalog import Catalog


def emit(
    file: Path = typer.Argument(help="JSON lines, one event each; - reads standard input."),
    stream: bool = typer.Option(
        False, "--stream", help="Send each line as it comes, before the rest is checked."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Check every line, send nothing."),
    rate: float | None = typer.Option(None, min=0.001, help="At most this many events a second."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Send the events of a JSON-lines file, in its order.

    A line is the name of a type, then its fields:

    {"type": "PhotoLiked", "user_id": 3, "photo_id": 5, "owner_id": 9}

    Fields with a default may be absent, unknown ones are refused. Bytes are hex, event_id is a
    UUID, occurred_at RFC 3339 or microseconds.

    All lines are checked before anything is sent. Exit codes: 2 wrong lines (they are listed), 3 no
    Kafka, 1 not all arrived.
    """
    if stream and dry_run:
        raise InputError("found --stream with --dry-run, wanted one: a dry run sends nothing")
    catalog = Catalog.find()
    with opened(file) as source:
        if stream:
            topics = _send_as_it_comes(source, catalog, rate)
        else:
            topics = _send_checked(source, catalog, rate, is_dry=dry_run)
    if as_json:
        write_line(json_line({"events": sum(topics.values()), "topics": topics}))
    else:
        _write_summary(topics, "may be sent" if dry_run else "sent")


def _send_as_it_comes(source: BinaryIO, catalog: Catalog, rate: float | None) -> Mapping[str, int]:
    with _client() as client, progress_bar("Sending") as report:
        sending = Sending(client, per_s=rate)
        sending.expect()
        sending.run(events(source, catalog), 0, report)
    return sending.topics


def _send_checked(
    source: BinaryIO, catalog: Catalog, rate: float | None, *, is_dry: bool
) -> Mapping[str, int]:
    with contextlib.ExitStack() as stack:
        with progress_bar("Checking") as report:
            copy, found = stack.enter_context(checked(source, catalog, report))
        if is_dry or not found.events:
            return found.topics
        client = stack.enter_context(_client())
        sending = Sending(client, per_s=rate)
        sending.expect(*found.event_types)
        with progress_bar("Sending") as report:
            sending.run(islice(events(copy, catalog), found.events), found.events, report)
    return sending.topics


def _client() -> EventClient:
    """A file can wait for room in the queue, whatever the settings of services say."""
    return EventClient(emit=EmitSettings(on_full="wait"))


def _write_summary(topics: Mapping[str, int], what: str) -> None:
    total = sum(topics.values())
    write_line(f"{total:,} {'event' if total == 1 else 'events'} {what}")
    for topic, count in sorted(topics.items()):
        write_line(f"  {topic}  {count:,}")
