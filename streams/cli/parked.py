"""`streams parked`: keys whose handler raised, and the event it raised on."""

from __future__ import annotations

from typing import Any

import typer

from streams.cli.output import JSON_OPTION, json_line, write_fields, write_line, write_table
from streams.cli.record_view import RecordView, time_of
from streams.cli.system_topic import record_at, system_records
from streams.engine.decisions import Decision, DecisionKind, decision_of
from streams.errors import NotFound
from streams.topics.catalog import Catalog
from streams.topics.keys import key_text

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Keys that a fold set aside because its handler raised. From that event on the fold skips "
    "the key's events; other keys flow.",
)

_COLUMNS = ("fold", "key", "source", "raised_by", "reason", "detail", "time")
_NOTHING = "{} parked nothing"
_SERVICE = typer.Argument(help="Name of a service, such as counters.")


@app.command("list", epilog="Example: streams parked list counters")
def list_parked(service: str = _SERVICE, as_json: bool = JSON_OPTION) -> None:
    """Show one line for each parked key, in the order they were parked."""
    rows = _rows(service)
    if as_json:
        for row in rows:
            write_line(json_line(row))
    elif rows:
        write_table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
    else:
        write_line(_NOTHING.format(service))


@app.command("show", epilog="Example: streams parked show counters 5")
def show_parked(
    service: str = _SERVICE,
    key: str = typer.Argument("", help="One key, such as 5 or 3:9; default: all."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show everything about parked keys, with the event on which the handler raised."""
    rows = [row for row in _rows(service) if key in ("", row["key"])]
    if key and not rows:
        raise NotFound(f"{service} parked no key {key}")
    if not rows and not as_json:
        write_line(_NOTHING.format(service))
    view = RecordView(Catalog.find())
    for row in rows:
        shown = {**row, **_original(row, view)}
        if as_json:
            write_line(json_line(shown))
        else:
            write_fields(shown)
            write_line("")


def _rows(service: str) -> list[dict[str, Any]]:
    """A row for each key; where a key was parked again, the last time counts."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for record in system_records(service, "decisions"):
        decision = decision_of(record)
        if decision.kind is DecisionKind.PARKED:
            row = _row(decision, record.timestamp_ms)
            rows[str(decision.source), decision.fold, row["key"]] = row
    return list(rows.values())


def _row(decision: Decision, timestamp_ms: int) -> dict[str, Any]:
    return {
        "fold": decision.fold,
        "key": key_text(decision.fold_key),
        "source": f"{decision.source}/{decision.at}",
        "raised_by": decision.raised_by,
        "reason": decision.reason,
        "detail": decision.detail,
        "time": time_of(timestamp_ms),
    }


def _original(row: dict[str, Any], view: RecordView) -> dict[str, Any]:
    """The event on which a handler raised; a result raises on a state, not on one event."""
    record = None if row["raised_by"] == "result" else record_at(row["source"])
    if record is None:
        return {"event": None, "value": None}
    return {
        "event": view.content(record),
        "value": None if record.value is None else record.value.hex(),
    }
