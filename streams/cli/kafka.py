"""`streams kafka`: a real Kafka on this machine, or what is known of the one that was configured.

What starts and stops a Kafka needs the extra `local`, and is imported where it is used.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.kafka_state import containers_in_words, kafka_in_words
from streams.cli.output import json_line, write_line
from streams.errors import BrokerUnavailable
from streams.local.compose import (
    COMPOSE_FILE,
    Containers,
    compose_down,
    compose_state,
    compose_up,
    compose_wipe,
)
from streams.settings import HomeSettings, KafkaSettings

if TYPE_CHECKING:
    from streams.local import LocalKafka, Status

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A real Kafka on this machine, kept under STREAMS_HOME. It needs no Docker and no Java of "
    "yours, and goes on running until `streams kafka down`.",
)

Docker = Annotated[bool, typer.Option("--docker", help="The one of docker-compose.kafka.yml here.")]
Nodes = Annotated[
    int | None,
    typer.Option(
        "--nodes", help="1, or 3 of which any one may fail. Unset: what there is, else 1."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")]

_TIMEOUT_S = 8.0
_QUESTION = "Delete every topic, event and offset of {}?"
_EXTERNAL = "the external Kafka that KAFKA_BOOTSTRAP_SERVERS names"


@app.command(epilog="Example: streams kafka up && streams topics apply")
def up(nodes: Nodes = None, docker: Docker = False, as_json: Json = False) -> None:
    """Start Kafka and wait until it is ready; of three nodes, those that do not run.

    With KAFKA_BOOTSTRAP_SERVERS set it starts nothing, and looks whether that Kafka answers (exit
    code 3 when it does not).
    """
    configured = KafkaSettings()
    if configured.bootstrap_servers:
        _look_outside(configured, as_json=as_json)
        typer.echo("nothing was started here", err=True)
    elif docker:
        _show_containers(compose_up(Path.cwd(), HomeSettings().home, nodes), as_json=as_json)
    else:
        HomeSettings().made_home()
        local = _local()
        if not local.is_downloaded:
            typer.echo("downloading Kafka from Maven Central (44 MB, once) …", err=True)
        _show_local(local.up(nodes), as_json=as_json)


@app.command(epilog="Example: streams kafka down")
def down(docker: Docker = False) -> None:
    """Stop this machine's own Kafka; topics and offsets stay."""
    if docker:
        compose_down(Path.cwd(), HomeSettings().home)
    else:
        write_line("Kafka stopped" if _local().down() else "Kafka was not running")


@app.command(epilog="Example: streams kafka status --json")
def status(docker: Docker = False, as_json: Json = False) -> None:
    """Show whether Kafka can be used, where, and where its log is; exit code 1 when it cannot.

    Of three nodes it tells which one is gone or does not answer; two that are ready are enough.

    With KAFKA_BOOTSTRAP_SERVERS set it tells of that Kafka (exit code 3 when it does not answer).
    """
    configured = KafkaSettings()
    if docker:
        is_running = _show_containers(compose_state(Path.cwd()), as_json=as_json)
    elif configured.bootstrap_servers:
        is_running = True
        _look_outside(configured, as_json=as_json)
    else:
        is_running = _show_local(_local().status(), as_json=as_json)
    raise typer.Exit(0 if is_running else 1)


@app.command(epilog="Example: streams kafka down && streams kafka wipe --yes")
def wipe(docker: Docker = False, is_sure: Yes = False) -> None:
    """Delete every topic and offset of this machine's own, stopped Kafka; refused while it runs.

    On a terminal it asks first. With --docker the volumes of the compose file go, the state of its
    services among them.
    """
    if not is_sure and sys.stdin.isatty():
        typer.confirm(_QUESTION.format(_meant(docker=docker)), abort=True, err=True)
    if docker:
        compose_wipe(Path.cwd())
    else:
        _local().wipe()
    write_line(
        "the data of this machine's own Kafka is gone; make the topics again "
        "(`streams topics apply`); a service that has state here starts over with "
        "`streams offsets restore SERVICE`"
    )
    if KafkaSettings().bootstrap_servers:
        write_line(f"{_EXTERNAL} is not this one, and was left alone")


def _meant(*, docker: bool) -> str:
    """Whose data `wipe` deletes."""
    if docker:
        return f"the containers of {Path.cwd() / COMPOSE_FILE}"
    return f"the Kafka in {HomeSettings().home / 'kafka'}"


def _local() -> LocalKafka:
    from streams.local import LocalKafka

    return LocalKafka(HomeSettings().home)


def _look_outside(configured: KafkaSettings, *, as_json: bool) -> None:
    """Says whether the configured Kafka answers; BrokerUnavailable when it does not."""
    from streams.kafka.describe import describe_cluster

    try:
        found = describe_cluster(configured, timeout_s=_TIMEOUT_S)
    except BrokerUnavailable as exc:
        if as_json:
            _write_object("external", is_running=False, address=configured.bootstrap_servers)
        raise BrokerUnavailable(f"{_EXTERNAL} does not answer: {exc}") from exc
    if as_json:
        _write_object("external", is_running=True, address=found.servers)
        return
    brokers = f"{found.brokers} {'broker' if found.brokers == 1 else 'brokers'}"
    write_line(f"{_EXTERNAL} answers at {found.servers}: Kafka {found.release}, {brokers}")


def _show_containers(found: Containers, *, as_json: bool) -> bool:
    """Says what Docker said; returns whether Kafka can be used."""
    if as_json:
        _write_object("docker", is_running=found.is_usable, address=found.address)
    else:
        for line in containers_in_words(found):
            write_line(line)
    return found.is_usable


def _show_local(found: Status, *, as_json: bool) -> bool:
    """Says what is known of the local Kafka; returns whether it can be used."""
    if as_json:
        _write_object("local", **asdict(found))
    else:
        for line in kafka_in_words(found):
            write_line(line)
    return found.is_running


def _write_object(kind: str, **facts: object) -> None:
    write_line(json_line({"kind": kind, **facts}))
