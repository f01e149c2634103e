"""`streams run`: the workers of a service."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.output import progress_bar, write_line
from streams.cli.watch import Watch, summary
from streams.clock import Deadline
from streams.errors import StreamsError
from streams.logs import configure
from streams.settings import HomeSettings, KafkaSettings, WorkerSettings

if TYPE_CHECKING:
    from streams.fold.service import Service

_STOP_MARGIN_S = 2.0


def run(
    service: Annotated[str, typer.Argument(help="A service's name, or module:SERVICE.")],
    workers: Annotated[int, typer.Option(min=1, max=256, help="Worker processes.")] = 1,
    until_caught_up: Annotated[
        bool,
        typer.Option(
            "--until-caught-up",
            help="Stop when every partition was opened and everything there is was folded.",
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Seconds for --until-caught-up, which else waits without an end, also for a "
            "Kafka that does not answer. Over them: exit code 1, or 3 without Kafka.",
        ),
    ] = None,
) -> None:
    """Run the workers of a service until Ctrl-C, or until it has caught up.

    Each worker is a process; a dead one is started again, and one that finds no Kafka waits for it
    and says so. Log lines go to standard error. On more machines the same command shares the
    partitions.

    Exit code 1 means that a worker stopped rather than guess, and its last line names the command
    that goes on; or that it was stopped before it had caught up.
    """
    from streams.engine.services import load_service

    configure()
    loaded = load_service(service)
    HomeSettings().made_home()
    if until_caught_up:
        _until_caught_up(service, loaded, workers, timeout)
        return
    if timeout is not None:
        raise typer.BadParameter("--timeout needs --until-caught-up")
    raise typer.Exit(_supervise(service, workers, KafkaSettings(), lambda: False))


def _until_caught_up(name: str, loaded: Service, workers: int, timeout_s: float | None) -> None:
    from streams.engine.coverage import Coverage
    from streams.engine.status import service_home
    from streams.kafka.connection import KafkaLog

    kafka = KafkaSettings()
    log = KafkaLog(kafka, WorkerSettings())
    coverage = Coverage(service_home(kafka), loaded.name, workers=workers, supervisor=os.getpid())
    deadline = None if timeout_s is None else Deadline.after(timeout_s)
    with progress_bar(f"Folding {loaded.name}") as report:
        watch = Watch(loaded, log, coverage, report, deadline=deadline)
        code = _supervise(name, workers, kafka, watch.is_done)
    if code:
        raise typer.Exit(code)
    if not watch.is_caught_up:
        raise StreamsError(f"{loaded.name}: stopped before it had caught up")
    write_line(summary(watch.result()))


def _supervise(
    service: str, workers: int, kafka: KafkaSettings, is_done: Callable[[], bool]
) -> int:
    from streams.engine.status import service_home
    from streams.engine.supervisor import Supervisor

    supervisor = Supervisor(
        service,
        workers,
        home=service_home(kafka),
        drain_s=WorkerSettings().drain_timeout_s + _STOP_MARGIN_S,
        is_done=is_done,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    return supervisor.run()
