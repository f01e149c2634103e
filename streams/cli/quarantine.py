"""`streams quarantine`: records that could not be decoded or belonged elsewhere, and a redrive."""

from __future__ import annotations

from typing import Any, NamedTuple

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
from streams.cli.record_view import RecordView, text_of, time_of
from streams.cli.system_topic import (
    current_ids,
    fates_of,
    parse_source,
    system_records,
    tell_of_earlier,
)
from streams.engine.decisions import DecisionKind
from streams.engine.fates import Fate
from streams.errors import InputError, NotFound
from streams.ports.records import Record
from streams.topics.catalog import Catalog

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Records that a service could not decode, with their original bytes and the reason. "
    "They were skipped by every fold; all others flowed on. Once their schema is known on all "
    "hosts, `redrive` folds them after all.",
)

_COLUMNS = ("source", "key", "state", "reason", "detail", "time", "changed")
_NOTHING = "{} quarantined nothing"
_SERVICE = typer.Argument(help="Name of a service, such as counters.")


@app.command("list", epilog="Example: streams quarantine list counters")
def list_quarantined(service: str = _SERVICE, as_json: bool = JSON_OPTION) -> None:
    """Show one line for each record that was ever quarantined, oldest first.

    State: quarantined; redrive asked (nobody answered yet); redrive failed (still quarantined, and
    with the new reason); redriven (folded after all). Records of a topic that was deleted since are
    left out: their offsets mean other records.
    """
    rows = [one.row for one in _rows(service)]
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
    found = [one for one in _rows(service) if source in ("", one.row["source"])]
    if source and not found:
        raise NotFound(f"{service} quarantined no record from {source}")
    if not found and not as_json:
        write_line(_NOTHING.format(service))
    view = RecordView(Catalog.find())
    for one in found:
        shown = {**one.row, **_everything(one.record, view)}
        if as_json:
            write_line(json_line(shown))
        else:
            write_fields(shown)
            write_line("")


@app.command("redrive", epilog="Example: streams quarantine redrive counters social.photos/3/17")
def redrive(
    service: str = _SERVICE,
    source: str = typer.Argument(
        "", help="topic/partition/offset, or its first parts for all that stands there; or --all."
    ),
    is_all: bool = ALL_OPTION,
    key: str = typer.Option("", help="Only records with this key."),
    dry_run: bool = DRY_RUN_OPTION,
    is_sure: bool = YES_OPTION,
    wait_s: float = WAIT_OPTION,
    as_json: bool = JSON_OPTION,
) -> None:
    """Fold quarantined records after all, once their schema is known or the decoder is mended.

    Each is read again from where it stands in the log, and folded behind what is folded by then:
    late, but for good, as every rebuild does it at the same place again. Nothing is added to the
    input. What cannot be folded stays in quarantine, and says why. The request is kept in Kafka: a
    service that is stopped answers when it runs next.

    Exit code 1 when a record failed again, or was not answered in time.
    """
    if not (source or key or is_all) or (source and is_all):
        raise InputError("found neither or both, wanted topic/partition/offset or --all")
    found = [
        one
        for one in _rows(service)
        if begins(one.row["source"], source) and key in ("", one.row["key"])
    ]
    wanted = [
        (one.fate, {"source": str(one.row["source"])})
        for one in found
        if one.fate and not one.fate.is_folded and not one.row["of_earlier_topic"]
    ]
    if not wanted and not is_all:
        raise NotFound(
            f"{service} has no such record in quarantine" + (" any more" if found else "")
        )
    asking = Asking(service, "record", wait_s=wait_s, as_json=as_json)
    asking.run(wanted, dry_run=dry_run, is_sure=is_sure or len(wanted) == 1)


class _Quarantined(NamedTuple):
    record: Record
    fate: Fate | None
    row: dict[str, Any]


def _rows(service: str) -> list[_Quarantined]:
    records = system_records(service, "quarantine")
    ids = current_ids(_topic(record) for record in records)
    fates = {
        (f"{one.skipped.source}/{one.skipped.at}", one.skipped.topic_id): one
        for one in fates_of(service)
        if one.skipped.kind is DecisionKind.QUARANTINED
    }
    found = []
    for record in records:
        fate = fates.get((_header(record, "source") or "", _header(record, "topic_id") or ""))
        found.append(_Quarantined(record, fate, _row(record, fate, ids.get(_topic(record)))))
    return found


def _topic(record: Record) -> str:
    return parse_source(_header(record, "source") or "")[0].topic


def _row(record: Record, fate: Fate | None, current_id: str | None) -> dict[str, Any]:
    return {
        "source": _header(record, "source"),
        "key": text_of(record.key),
        "state": fate.state if fate else DecisionKind.QUARANTINED.value,
        "reason": fate.why.reason if fate else _header(record, "reason"),
        "detail": fate.why.detail if fate else _header(record, "detail"),
        "time": time_of(record.timestamp_ms),
        "changed": time_of(fate.last_ms if fate else record.timestamp_ms),
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
