"""`streams offsets`: committed offsets of a service."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.output import JSON_OPTION, json_line, progress_bar, write_line, write_table
from streams.settings import KafkaSettings, WorkerSettings

app = typer.Typer(
    help="Committed offsets of a service.", no_args_is_help=True, add_completion=False
)

_COLUMNS = ("topic", "partition", "found", "wanted")


@app.callback()
def offsets() -> None:
    """Committed offsets of a service."""


@app.command(epilog="Example: streams offsets restore counters --dry-run")
def restore(
    service: Annotated[str, typer.Argument(help="A service's name, or module:SERVICE.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be committed; change nothing.")
    ] = False,
    as_json: bool = JSON_OPTION,
) -> None:
    """Commit lost offsets again, found from what the service published; with all workers stopped.

    Nothing is counted twice: every record says up to which input offset it was made. All that the
    service ever published is read, which takes a while. Where the log begins behind what was
    folded, that gap is accepted, told and put on record.
    """
    from streams.engine.restore import find_offsets, restore_offsets
    from streams.engine.services import load_service
    from streams.engine.status import service_home
    from streams.kafka.connection import KafkaLog
    from streams.state.folder import StateFolders

    kafka = KafkaSettings()
    log = KafkaLog(kafka, WorkerSettings())
    find = find_offsets if dry_run else restore_offsets
    loaded = load_service(service)
    with progress_bar(f"Reading what {loaded.name} published") as report:
        restored = find(loaded, log, StateFolders(service_home(kafka)), report)
    rows = [(*one.source, one.found, one.wanted) for one in restored]
    if as_json:
        for row in rows:
            write_line(json_line(dict(zip(_COLUMNS, row, strict=True))))
        return
    write_table(_COLUMNS, rows)
    for one in restored:
        if one.gap:
            gap = f"{one.gap.start} to {one.gap.stop - 1}"
            write_line(f"{one.source}: offsets {gap} are gone and were never folded")
    moved = sum(one.found != one.wanted for one in restored)
    if dry_run:
        write_line(f"{moved} of {len(rows)} offsets would change; nothing was committed")
    else:
        write_line(f"{len(rows)} offsets committed, {moved} of them changed")
