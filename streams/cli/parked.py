"""`streams parked`: keys whose handler or result raised, and the event that led to it."""

from __future__ import annotations

from typing import Any

import typer

from streams.cli.output import JSON_OPTION, json_line, write_fields, write_line, write_rows
from streams.cli.record_view import RecordView, time_of
from streams.cli.system_topic import record_at, records_in, system_records
from streams.engine.decisions import Decision, DecisionKind, decision_of
from streams.errors import NotFound
from streams.ports.records import Record
from streams.topics.catalog import Catalog
from streams.topics.keys import key_text

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Keys that a fold set aside because its handler or result raised. From that event on the "
    "fold skips the key's events, also after a mended handler, a new version of the fold, or "
    "`streams state reset`, so what was published about the key grows old. Other keys flow. This "
    "release cannot take a parked key up again.",
)

_COLUMNS = ("fold", "key", "skipped_from", "raised_by", "reason", "detail", "where", "time")
_NOTHING = "{} parked nothing"
_SERVICE = typer.Argument(help="Name of a service, such as counters.")


@app.command("list", epilog="Example: streams parked list counters")
def list_parked(service: str = _SERVICE, as_json: bool = JSON_OPTION) -> None:
    """Show one line for each parked key, in the order they were parked."""
    rows = [row for _, row in _rows(service)]
    write_rows(rows, _COLUMNS, nothing=_NOTHING.format(service), as_json=as_json)


@app.command("show", epilog="Example: streams parked show counters 5")
def show_parked(
    service: str = _SERVICE,
    key: str = typer.Argument("", help="One key, such as 5 or 3:9; default: all."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show everything about parked keys, with the event on which the handler raised.

    A result raises on a state, not on an event: then it is the last event of the key in that state.
    """
    rows = [(decision, row) for decision, row in _rows(service) if key in ("", row["key"])]
    if key and not rows:
        raise NotFound(f"{service} parked no key {key}")
    if not rows and not as_json:
        write_line(_NOTHING.format(service))
    view = RecordView(Catalog.find())
    for decision, row in rows:
        shown = {**row, **_original(decision, view)}
        if as_json:
            write_line(json_line(shown))
        else:
            write_fields(shown)
            write_line("")


def _rows(service: str) -> list[tuple[Decision, dict[str, Any]]]:
    """A row for each key; where a key was parked again, the last time counts."""
    rows: dict[tuple[str, str, str], tuple[Decision, dict[str, Any]]] = {}
    for record in system_records(service, "decisions"):
        decision = decision_of(record)
        if decision.kind is DecisionKind.PARKED:
            row = _row(decision, record.timestamp_ms)
            rows[str(decision.source), decision.fold, row["key"]] = decision, row
    return list(rows.values())


def _row(decision: Decision, timestamp_ms: int) -> dict[str, Any]:
    skipped_from = f"{decision.source}/{decision.at}"
    return {
        "fold": decision.fold,
        "key": key_text(decision.fold_key),
        "source": None if decision.raised_by == "result" else skipped_from,
        "skipped_from": skipped_from,
        "raised_by": decision.raised_by,
        "reason": decision.reason,
        "detail": decision.detail,
        "where": decision.where,
        "time": time_of(timestamp_ms),
    }


def _original(decision: Decision, view: RecordView) -> dict[str, Any]:
    """The event on which a handler raised, or the key's last one before a result raised."""
    if decision.raised_by == "result":
        record = _last_before(decision)
        told: dict[str, Any] = {"source": record.source if record else None}
        if decision.up_to is not None:
            told["state_up_to"] = f"{decision.source}/{decision.up_to}"
    else:
        record, told = record_at(f"{decision.source}/{decision.at}"), {}
    if record is None:
        return {**told, "event": None, "value": None}
    return {
        **told,
        "event": view.content(record),
        "value": None if record.value is None else record.value.hex(),
    }


def _last_before(decision: Decision) -> Record | None:
    """The key's last record in the interval that was open when a result raised.

    None where record keys are not the fold's keys, or the records are gone.
    """
    if decision.up_to is None:
        return None
    key = key_text(decision.fold_key).encode()
    found = (
        one for one in records_in(decision.source, decision.at, decision.up_to) if one.key == key
    )
    return max(found, key=lambda one: one.offset, default=None)
