"""`streams offsets`: committed offsets of a service."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.engine.restore import find_offsets, restore_offsets
from streams.engine.services import load_service
from streams.engine.status import service_home
from streams.kafka.connection import KafkaLog
from streams.settings import KafkaSettings, WorkerSettings

app = typer.Typer(help="Committed offsets of a service.", no_args_is_help=True)


@app.callback()
def offsets() -> None:
    """Committed offsets of a service."""


@app.command()
def restore(
    service: Annotated[str, typer.Argument(help="A service's name, or module:SERVICE.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be committed; change nothing.")
    ] = False,
) -> None:
    """Commit lost offsets again, found from what the service published; with all workers stopped.

    Nothing is counted twice: every record says up to which input offset it was made.
    """
    kafka = KafkaSettings()
    log = KafkaLog(kafka, WorkerSettings())
    find = find_offsets if dry_run else restore_offsets
    for one in find(load_service(service), log, service_home(kafka)):
        found = "none" if one.found is None else one.found
        typer.echo(f"{one.source}  found {found}  {'would be' if dry_run else 'now'} {one.wanted}")
