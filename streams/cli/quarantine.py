"""`streams quarantine`: records that could not be decoded or belonged elsewhere."""

from __future__ import annotations

from typing import Any

import typer

from streams.cli.output import JSON_OPTION, json_line, write_fields, write_line, write_rows
from streams.cli.record_view import RecordView, text_of, time_of
from streams.cli.system_topic import current_ids, parse_source, system_records, tell_of_earlier
from streams.errors import NotFound
from streams.ports.records import Record
from streams.topics.catalog import Catalog

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Records that a service could not decode, with their original bytes and the reason. "
    "They were skipped by every fold; all others flowed on.",
)

_COLUMNS = ("source", "key", "reason", "detail", "time")
_NOTHING = "{} quarantined nothing"
_SERVICE = typer.Argument(help="Name of a service, such as counters.")


@app.command("list", epilog="Example: streams quarantine list counters")
def list_quarantined(service: str = _SERVICE, as_json: bool = JSON_OPTION) -> None:
    """Show one line for each quarantined record, oldest first.

    Records of a topic that was deleted since are left out: their offsets mean other records.
    """
    rows = [row for _, row in _rows(service)]
    current = [row for row in rows if not row["of_earlier_topic"]]
    write_rows(current, _COLUMNS, nothing=_NOTHING.format(service), as_json=as_json)
    tell_of_earlier(len(rows) - len(current), f"streams quarantine show {service}")


@app.command("show", epilog="Example: streams quarantine show counters social.photos/3/17")
def show_quarantined(
    service: str = _SERVICE,
    source: str = typer.Argument("", help="One record, as topic/partition/offset; default: all."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show everything about quarantined records: headers, bytes, and the event if it decodes.

    A record of a topic that was deleted or made again since is marked; its bytes are still here.
    """
    if source:
        parse_source(source)
    found = [one for one in _rows(service) if source in ("", one[1]["source"])]
    if source and not found:
        raise NotFound(f"{service} quarantined no record from {source}")
    if not found and not as_json:
        write_line(_NOTHING.format(service))
    view = RecordView(Catalog.find())
    for record, row in found:
        shown = {**row, **_everything(record, view)}
        if as_json:
            write_line(json_line(shown))
        else:
            write_fields(shown)
            write_line("")


def _rows(service: str) -> list[tuple[Record, dict[str, Any]]]:
    records = system_records(service, "quarantine")
    ids = current_ids(_topic(record) for record in records)
    return [(record, _row(record, ids.get(_topic(record)))) for record in records]


def _topic(record: Record) -> str:
    return parse_source(_header(record, "source") or "")[0].topic


def _row(record: Record, current_id: str | None) -> dict[str, Any]:
    return {
        "source": _header(record, "source"),
        "key": text_of(record.key),
        "reason": _header(record, "reason"),
        "detail": _header(record, "detail"),
        "time": time_of(record.timestamp_ms),
        "of_earlier_topic": current_id is None or _header(record, "topic_id") != current_id,
    }


def _everything(record: Record, view: RecordView) -> dict[str, Any]:
    return {
        "value": None if record.value is None else record.value.hex(),
        "headers": [[name, text_of(value)] for name, value in record.headers],
        "event": view.content(record),
        "quarantined_at": record.source,
    }


def _header(record: Record, name: str) -> str | None:
    """The last header of a name: the original record may have had one of the same."""
    return text_of(dict(record.headers).get(name))
