"""`streams state`: the local state of a service."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.output import JSON_OPTION, json_line, write_line
from streams.settings import KafkaSettings, WorkerSettings

app = typer.Typer(help="The state of a service.", no_args_is_help=True, add_completion=False)


@app.callback()
def state() -> None:
    """The state of a service."""


@app.command(epilog="Example: streams state reset counters --topic counters.contributions")
def reset(
    service: Annotated[str, typer.Argument(help="A service's name, or module:SERVICE.")],
    topic: Annotated[
        list[str] | None, typer.Option(help="Only folds that read this topic; repeatable.")
    ] = None,
    as_json: bool = JSON_OPTION,
) -> None:
    """Fold the log again from its start, with all workers stopped.

    Results are published again and end as they were; folds that emit facts are refused, unless
    their topic was deleted and made again, which begins them anew with what is in it. Decisions
    stay: parked keys are skipped from the same event on, and quarantined records too, but for what
    was retried or redriven. So do results of keys that no record of the log mentions any more.
    """
    from streams.engine.reset import reset_state
    from streams.engine.services import load_service
    from streams.engine.status import service_home
    from streams.kafka.connection import KafkaLog
    from streams.state.folder import StateFolders

    kafka = KafkaSettings()
    log = KafkaLog(kafka, WorkerSettings())
    loaded = load_service(service)
    starts = reset_state(loaded, log, StateFolders(service_home(kafka)), topic or ())
    if as_json:
        for place, offset in starts.items():
            row = {"topic": place.topic, "partition": place.partition, "offset": offset}
            write_line(json_line(row))
        return
    write_line(
        f"{len(starts)} partitions start again at the beginning of their log; "
        f"run `streams run {service}`"
    )
    folds = [fold for name in {place.topic for place in starts} for fold in loaded.folds_of(name)]
    results = sorted({one.name for fold in folds for one in fold.outputs})
    if results:
        write_line(
            f"results in {', '.join(results)} of keys that no record of the log mentions any more "
            "stay as they are; how many those are cannot be known"
        )
