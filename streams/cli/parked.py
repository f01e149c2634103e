"""`streams parked`: keys whose handler or result raised, the event that led to it, and a retry."""

from __future__ import annotations

from typing import Any

import typer

from streams.cli.answers import (
    ALL_OPTION,
    DRY_RUN_OPTION,
    WAIT_OPTION,
    YES_OPTION,
    Asking,
    begins,
)
from streams.cli.output import JSON_OPTION, json_line, write_fields, write_line, write_rows
from streams.cli.record_view import RecordView, time_of
from streams.cli.system_topic import (
    current_ids,
    fates_of,
    record_at,
    records_in,
    tell_of_earlier,
)
from streams.engine.decisions import DecisionKind
from streams.engine.fates import Fate
from streams.errors import InputError, NotFound
from streams.ports.records import Record, TopicPartition
from streams.topics.catalog import Catalog
from streams.topics.keys import key_text

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Keys that a fold set aside because its handler or result raised. From that event on the "
    "fold skips the key's events, also after a mended handler, a new version of the fold, or "
    "`streams state reset`, so what was published about the key grows old. Other keys flow. Once "
    "the handler is mended on all hosts, `retry` folds what was skipped, and the key flows again.",
)

_COLUMNS = (
    "fold", "key", "state", "skipped_from", "raised_by", "reason", "detail", "where", "time",
    "changed",
)  # fmt: skip
_NOTHING = "{} parked nothing"
_SERVICE = typer.Argument(help="Name of a service, such as counters.")
_SOURCE_OPTION = typer.Option("", "--source", help="Only of this input: topic or topic/partition.")


@app.command("list", epilog="Example: streams parked list counters")
def list_parked(service: str = _SERVICE, as_json: bool = JSON_OPTION) -> None:
    """Show one line for each key that was ever parked, in the order they were.

    State: parked; retry asked (nobody answered yet); retry failed (still parked, and with the new
    error); retried (it flows again). Keys of a topic that was deleted since are left out: nothing
    skips them any more.
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
    rows = [(fate, row) for fate, row in _rows(service) if key in ("", row["key"])]
    if key and not rows:
        raise NotFound(f"{service} parked no key {key}")
    if not rows and not as_json:
        write_line(_NOTHING.format(service))
    view = RecordView(Catalog.find())
    for fate, row in rows:
        gone = {"event": None, "value": None}
        shown = {**row, **(gone if row["of_earlier_topic"] else _original(fate, view))}
        if as_json:
            write_line(json_line(shown))
        else:
            write_fields(shown)
            write_line("")


@app.command("retry", epilog="Example: streams parked retry counters 5")
def retry(
    service: str = _SERVICE,
    key: str = typer.Argument("", help="One key, such as 5 or 3:9; or --all."),
    is_all: bool = ALL_OPTION,
    source: str = _SOURCE_OPTION,
    dry_run: bool = DRY_RUN_OPTION,
    is_sure: bool = YES_OPTION,
    wait_s: float = WAIT_OPTION,
    as_json: bool = JSON_OPTION,
) -> None:
    """Fold what was skipped of parked keys, once the handler is mended; then they flow again.

    All events of a key since it was parked are folded in their order, and their facts and its
    result are published, in one transaction; nothing is added to the input. If anything raises
    again, nothing of the key is published, and it stays parked with the new error. The request is
    kept in Kafka: a service that is stopped answers when it runs next. While a partition reads the
    skipped events again, its other keys wait.

    Exit code 1 when a key failed again, or was not answered in time.
    """
    if bool(key) == is_all:
        raise InputError("found neither or both, wanted a key or --all")
    rows = [
        (fate, row)
        for fate, row in _rows(service)
        if key in ("", row["key"]) and begins(row["skipped_from"], source)
    ]
    open_rows = [(f, row) for f, row in rows if not f.is_folded and not row["of_earlier_topic"]]
    if key and not open_rows:
        raise NotFound(f"{service} has no parked key {key}" + (" any more" if rows else ""))
    asking = Asking(service, "key", wait_s=wait_s, as_json=as_json)
    asking.run(
        [(fate, {name: row[name] for name in ("fold", "key")}) for fate, row in open_rows],
        dry_run=dry_run,
        is_sure=is_sure or not is_all,
    )


def _rows(service: str) -> list[tuple[Fate, dict[str, Any]]]:
    """A row for each key of each topic; where it was parked again, the last time counts."""
    fates = [one for one in fates_of(service) if one.skipped.kind is DecisionKind.PARKED]
    ids = current_ids(one.skipped.topic for one in fates)
    return [(one, _row(one, ids.get(one.skipped.topic))) for one in fates]


def _row(fate: Fate, current_id: str | None) -> dict[str, Any]:
    decision, why = fate.skipped, fate.why
    raised_at = why.at if why is decision else why.raised_at
    return {
        "fold": decision.fold,
        "key": key_text(decision.fold_key),
        "state": fate.state,
        "source": _place(decision.source, None if why.raised_by == "result" else raised_at),
        "skipped_from": _place(decision.source, decision.at),
        "raised_by": why.raised_by,
        "reason": why.reason,
        "detail": why.detail,
        "where": why.where,
        "time": time_of(fate.skipped_ms),
        "changed": time_of(fate.last_ms),
        "of_earlier_topic": decision.topic_id != current_id,
    }


def _place(source: TopicPartition, offset: int | None) -> str | None:
    return None if offset is None else f"{source}/{offset}"


def _original(fate: Fate, view: RecordView) -> dict[str, Any]:
    """The event on which a handler raised, or the key's last one before a result raised."""
    decision, why = fate.skipped, fate.why
    up_to = why.up_to if why is decision else why.at
    told: dict[str, Any] = {}
    if why.raised_by == "result":
        record = None if up_to is None else _last_before(fate, up_to)
        told["source"] = record.source if record else None
        if up_to is not None:
            told["state_up_to"] = f"{decision.source}/{up_to}"
    else:
        offset = why.at if why is decision else why.raised_at
        record = None if offset is None else record_at(f"{decision.source}/{offset}")
    if record is None:
        return {**told, "event": None, "value": None}
    return {
        **told,
        "event": view.content(record),
        "value": None if record.value is None else record.value.hex(),
    }


def _last_before(fate: Fate, up_to: int) -> Record | None:
    """The key's last record in the state of which a result raised.

    None where record keys are not the fold's keys, or the records are gone.
    """
    key = key_text(fate.skipped.fold_key).encode()
    found = (
        one for one in records_in(fate.skipped.source, fate.skipped.at, up_to) if one.key == key
    )
    return max(found, key=lambda one: one.offset, default=None)
