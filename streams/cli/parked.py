"""`streams parked`: keys whose handler or result raised, and the event that led to it."""

from __future__ import annotations

from typing import Any

import typer

from streams.cli.output import JSON_OPTION, json_line, write_fields, write_line, write_rows
from streams.cli.record_view import RecordView, time_of
from streams.cli.system_topic import (
    current_ids,
    record_at,
    records_in,
    system_records,
    tell_of_earlier,
)
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
    """Show one line for each parked key, in the order they were parked.

    Keys of a topic that was deleted since are left out: nothing skips them any more.
    """
    rows = [row for _, row in _rows(service)]
    current = [row for row in rows if not row["of_earlier_topic"]]
    write_rows(current, _COLUMNS, nothing=_NOTHING.format(service), as_json=as_json)
    tell_of_earlier(len(rows) - len(current), f"streams parked show {service}")


@app.command("show", epilog="Example: streams parked show counters 5")
def show_parked(
    service: str = _SERVICE,
    key: str = typer.Argument("", help="One key, such as 5 or 3:9; default: all."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show everything about parked keys, with the event on which the handler raised.

    A result raises on a state, not on an event: then it is the last event of the key in that state.
    A key of a topic that was deleted or made again since is marked, and its event is gone.
    """
    rows = [(decision, row) for decision, row in _rows(service) if key in ("", row["key"])]
    if key and not rows:
        raise NotFound(f"{service} parked no key {key}")
    if not rows and not as_json:
        write_line(_NOTHING.format(service))
    view = RecordView(Catalog.find())
    for decision, row in rows:
        gone = {"event": None, "value": None}
        shown = {**row, **(gone if row["of_earlier_topic"] else _original(decision, view))}
        if as_json:
            write_line(json_line(shown))
        else:
            write_fields(shown)
            write_line("")


def _rows(service: str) -> list[tuple[Decision, dict[str, Any]]]:
    """A row for each key of each topic; where it was parked again, the last time counts."""
    found: dict[tuple[Any, ...], tuple[Decision, int]] = {}
    for record in system_records(service, "decisions"):
        one = decision_of(record)
        if one.kind is DecisionKind.PARKED:
            found[one.source, one.topic_id, one.fold, one.fold_key] = one, record.timestamp_ms
    ids = current_ids(one.topic for one, _ in found.values())
    return [(one, _row(one, time_ms, ids.get(one.topic))) for one, time_ms in found.values()]


def _row(decision: Decision, timestamp_ms: int, current_id: str | None) -> dict[str, Any]:
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
        "of_earlier_topic": decision.topic_id != current_id,
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
