"""`streams run`: the workers of a service."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from streams.engine.caught_up import is_caught_up
from streams.engine.services import load_service
from streams.engine.status import service_home
from streams.engine.supervisor import Supervisor
from streams.errors import StreamsError, WorkerStopped
from streams.kafka.admin import KafkaAdmin
from streams.logs import configure
from streams.settings import KafkaSettings, WorkerSettings

_STOP_MARGIN_S = 2.0


def run(
    service: Annotated[str, typer.Argument(help="A service's name, or module:SERVICE.")],
    workers: Annotated[int, typer.Option(min=1, max=256, help="Worker processes.")] = 1,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Stop when everything there is was folded.")
    ] = False,
) -> None:
    """Run the workers of a service until Ctrl-C, or until it has caught up.

    Each worker is a process; a dead one is started again. Exit code 1 means that a worker stopped
    rather than guess, and its last line names the command that goes on.
    """
    configure()
    kafka, settings = KafkaSettings(), WorkerSettings()
    loaded = load_service(service)
    admin = KafkaAdmin(kafka) if until_caught_up else None

    def is_done() -> bool:
        if admin is None:
            return False
        try:
            return is_caught_up(loaded, admin)
        except WorkerStopped:
            raise
        except StreamsError:  # not reachable at this moment; the workers say so themselves
            return False

    supervisor = Supervisor(
        service,
        workers,
        home=service_home(kafka),
        drain_s=settings.drain_timeout_s + _STOP_MARGIN_S,
        is_done=is_done,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    raise typer.Exit(supervisor.run())
