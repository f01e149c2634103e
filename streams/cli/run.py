"""`streams run`: the workers of a service."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.output import progress_bar
from streams.errors import StreamsError, WorkerStopped
from streams.logs import configure
from streams.settings import HomeSettings, KafkaSettings, WorkerSettings

if TYPE_CHECKING:
    from streams.fold.service import Service
    from streams.ports.log import LogAdmin
    from streams.views.latest import Progress

_STOP_MARGIN_S = 2.0


def run(
    service: Annotated[str, typer.Argument(help="A service's name, or module:SERVICE.")],
    workers: Annotated[int, typer.Option(min=1, max=256, help="Worker processes.")] = 1,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Stop when everything there is was folded.")
    ] = False,
) -> None:
    """Run the workers of a service until Ctrl-C, or until it has caught up.

    Each worker is a process; a dead one is started again. Log lines go to standard error. On more
    machines the same command shares the partitions.

    Exit code 1 means that a worker stopped rather than guess, and its last line names the command
    that goes on.
    """
    from streams.engine.services import load_service
    from streams.kafka.admin import KafkaAdmin

    configure()
    kafka = KafkaSettings()
    loaded = load_service(service)
    HomeSettings().made_home()
    if not until_caught_up:
        raise typer.Exit(_supervise(service, workers, kafka, lambda: False))
    admin = KafkaAdmin(kafka)
    with progress_bar(f"Folding {loaded.name}") as report:
        code = _supervise(service, workers, kafka, Watch(loaded, admin, report).is_done)
    raise typer.Exit(code)


class Watch:
    """Looks whether a service has caught up, and reports how far it is since the first look."""

    def __init__(self, service: Service, admin: LogAdmin, report: Progress) -> None:
        self._service = service
        self._admin = admin
        self._report = report
        self._first: int | None = None

    def is_done(self) -> bool:
        """Whether everything there is was folded; no while Kafka does not answer."""
        from streams.engine.caught_up import standing

        try:
            found = standing(self._service, self._admin)
        except WorkerStopped:
            raise
        except StreamsError:  # not reachable at this moment; the workers say so themselves
            return False
        if self._first is None:
            self._first = found.passed
        folded = found.passed - self._first
        self._report(folded, folded + found.left)
        return found.is_caught_up


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
