"""`streams kafka`: a real Kafka on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from streams.local import LocalKafka
from streams.local.compose import compose_down, compose_up
from streams.settings import HomeSettings, KafkaSettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A real Kafka on this machine, kept under STREAMS_HOME. It needs no Docker and no Java of "
    "yours, and goes on running until `streams kafka down`.",
)

Docker = Annotated[bool, typer.Option("--docker", help="Use docker-compose.kafka.yml instead.")]


@app.command()
def up(docker: Docker = False) -> None:
    """Start Kafka and wait until it is ready; does nothing when it runs."""
    configured = KafkaSettings().bootstrap_servers
    if configured:
        typer.echo(f"KAFKA_BOOTSTRAP_SERVERS is set: using {configured}, starting nothing")
    elif docker:
        compose_up(Path.cwd())
    else:
        local = _local()
        if not local.is_downloaded:
            typer.echo("downloading Kafka from Maven Central (44 MB, once) …", err=True)
        status = local.up()
        typer.echo(f"Kafka {status.version} runs at {status.address} (process {status.pid})")


@app.command()
def down(docker: Docker = False) -> None:
    """Stop Kafka; topics and offsets stay."""
    if docker:
        compose_down(Path.cwd())
    else:
        typer.echo("Kafka stopped" if _local().down() else "Kafka was not running")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show whether Kafka runs, where, and where its log is; exit code 1 when it does not."""
    found = _local().status()
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    elif found.is_running:
        typer.echo(f"Kafka {found.version} runs at {found.address} (process {found.pid})")
        typer.echo(f"data and log: {found.folder}")
    else:
        typer.echo("no local Kafka is running; start one with `streams kafka up`")
    raise typer.Exit(0 if found.is_running else 1)


@app.command()
def wipe() -> None:
    """Delete every topic and offset of the stopped Kafka; refuses while it runs."""
    _local().wipe()
    typer.echo(
        "Kafka's data is gone; make the topics again (`streams topics apply`); a "
        "service that has state here starts over with `streams offsets restore SERVICE`"
    )


def _local() -> LocalKafka:
    return LocalKafka(HomeSettings().home)
