"""A service that stops until a human has done what it says: run, read, obey, run again."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner

from streams import Service, Worker
from streams.cli.main import app
from streams.clock import Deadline
from streams.engine.caught_up import is_caught_up
from streams.engine.status import service_home
from streams.errors import InputError, Unavailable, WorkerStopped
from streams.kafka.admin import KafkaAdmin
from streams.settings import KafkaSettings, WorkerSettings

PATIENCE_S = 60.0

_COMMAND = re.compile(r"`streams ([^`]+)`")
_TURN_S = 0.05
_SETTINGS = WorkerSettings(commit_interval_s=0.05, checkpoint_interval_s=0.2, http_port=-1)


@dataclass(slots=True)
class Station:
    """A service on one machine, and the human beside it. Verbs find both in the environment."""

    service: Service
    kafka: KafkaSettings
    home: Path
    obeyed: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """What the service keeps here."""
        return service_home(self.kafka, self.home)

    def work(self) -> str:
        """Run a worker until all is folded; what it said when it stopped instead, else empty."""
        worker = Worker(self.service, kafka=self.kafka, settings=_SETTINGS, home=self.home)
        ended: list[BaseException] = []
        thread = threading.Thread(target=_run, args=(worker, ended), name="worker")
        thread.start()
        admin, deadline = KafkaAdmin(self.kafka, timeout_s=5.0), Deadline.after(PATIENCE_S)
        try:
            while thread.is_alive() and not self._has_caught_up(admin):
                assert not deadline.is_over, f"not caught up within {PATIENCE_S:g} s"
                deadline.pause(_TURN_S)
        finally:
            worker.stop()
            thread.join()
            admin.close()
        if not ended:
            return ""
        if not isinstance(ended[0], (WorkerStopped, InputError)):
            raise ended[0]
        return str(ended[0])

    def obey(self, said: str) -> None:
        """Run every command that a message shows, as it is printed."""
        commands = commands_in(said)
        assert commands, f"no command in: {said}"
        for command in commands:
            self.obeyed.append(command)
            ended = CliRunner().invoke(app, shlex.split(command))
            assert ended.exit_code == 0, f"streams {command}: {ended.output}"

    def work_and_obey(self, *, stops: int = 3) -> Sequence[str]:
        """Run until all is folded, doing what each stop asks for; what was asked for."""
        for _ in range(stops + 1):
            said = self.work()
            if not said:
                return self.obeyed
            self.obey(said)
        raise AssertionError(f"still stops after {self.obeyed}: {said}")

    def _has_caught_up(self, admin: KafkaAdmin) -> bool:
        """Whether all is folded; what keeps it from being known the worker will say."""
        with suppress(InputError, Unavailable, WorkerStopped):
            return is_caught_up(self.service, admin)
        return False


def _run(worker: Worker, ended: list[BaseException]) -> None:
    try:
        worker.run()
    except BaseException as exc:
        ended.append(exc)


def commands_in(said: str) -> Sequence[str]:
    """The commands that a message shows, without the word `streams`."""
    return _COMMAND.findall(said)
