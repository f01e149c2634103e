"""A service on a real broker as its users run it: child processes in a place of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from schemas.counters import PhotoCounters
from services.counters import SERVICE
from streams.clock import Deadline
from streams.engine.caught_up import input_partitions, is_caught_up
from streams.engine.status import WorkerStatus, read_statuses, service_home
from streams.errors import Unavailable
from streams.fold.service import Service
from streams.kafka.admin import KafkaAdmin
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings, child_environment
from streams.topics.catalog import Catalog
from streams.views.results import Results

REPOSITORY = Path(__file__).parents[2]
COUNTERS = ("counters.photos", "counters.users", "counters.conversations")

_TURN_S = 0.05
_GRACE_S = 15.0


def until(is_so: Callable[[], Any], timeout_s: float, wanted: str) -> None:
    """Return when `is_so`; fails the test when that takes longer than `timeout_s`."""
    deadline, pause = Deadline.after(timeout_s), threading.Event()
    while not is_so():
        assert not deadline.is_over, f"not within {timeout_s:g} s: {wanted}"
        pause.wait(_TURN_S)


class Running:
    """A child process whose output is in a file. Leaving its `with` block ends it."""

    def __init__(self, arguments: list[str], log: Path, cwd: Path, environment: dict[str, str]):
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                arguments,
                cwd=cwd,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        """Everything it said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def tail(self) -> str:
        """The end of what it said, for a failing test."""
        return "\n".join(self.text.splitlines()[-25:])

    def said(self, action: str) -> list[dict[str, Any]]:
        """Its log lines of one action."""
        return [line for line in self._lines() if line["action"] == action]

    def wait(self, timeout_s: float) -> int:
        """Its exit code; fails the test when it does not end in time."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s:g} s\n{self.tail}") from None

    def terminate(self, timeout_s: float = _GRACE_S) -> int:
        """SIGTERM, then its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def end_input(self, timeout_s: float = 60.0) -> int:
        """Close its standard input, then its exit code."""
        self.process.stdin.close()
        return self.wait(timeout_s)

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in self.text.splitlines():
            if line.startswith("{"):
                found = json.loads(line)
                if "action" in found:
                    yield found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_raised: object) -> None:
        if kind is not None:
            print(self.tail)
        if self.process.poll() is None:
            children = psutil.Process(self.process.pid).children(recursive=True)
            self.process.terminate()
            try:
                self.process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                for one in (*children, self.process):
                    one.kill()
                self.process.wait()
        self.process.stdin.close()


def has_passed(admin: KafkaAdmin, ends: Mapping[TopicPartition, int]) -> bool:
    """Whether the positions of the counters service are at or past these ends."""
    try:
        positions = admin.group_positions(SERVICE.name, list(ends))
    except Unavailable:  # an open transaction holds them
        return False
    return all(positions[one].offset >= end for one, end in ends.items())


@dataclass(frozen=True)
class Home:
    """A name space on the broker and a STREAMS_HOME; `cwd` is where verbs run."""

    kafka: KafkaSettings
    folder: Path
    cwd: Path = REPOSITORY
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a child process."""
        return child_environment(
            {
                "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
                "STREAMS_NAMESPACE": self.kafka.namespace,
                "STREAMS_HOME": str(self.folder),
                "STREAMS_LOG": "json",
                "PYTHONPATH": str(REPOSITORY),
                **self.settings,
            }
        )

    def streams(
        self, *arguments: str, stdin: str = "", timeout_s: float = 90.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        return subprocess.run(
            _command(arguments),
            cwd=self.cwd,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def done(self, *arguments: str, stdin: str = "", timeout_s: float = 90.0) -> str:
        """Standard output of a verb that must exit with 0."""
        ended = self.streams(*arguments, stdin=stdin, timeout_s=timeout_s)
        assert ended.returncode == 0, f"{arguments}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def start(self, *arguments: str) -> Running:
        """A verb in the background."""
        return self.launch(_command(arguments))

    def launch(self, arguments: list[str]) -> Running:
        """A program in the background."""
        number = len(list(self.folder.glob("child-*.log")))
        log = self.folder / f"child-{number}.log"
        return Running(arguments, log, self.cwd, self.environment)

    def workers(self, service: str = "counters") -> list[WorkerStatus]:
        """What the workers last said of themselves; only those whose process lives."""
        found = read_statuses(service_home(self.kafka, self.folder), service)
        return [one for one in found if psutil.pid_exists(one.pid)]

    def has_workers(self, count: int, service: str = "counters") -> bool:
        """Whether that many workers are live and each owns something."""
        owners = [one for one in self.workers(service) if one.partitions and one.state == "live"]
        return len(owners) == count

    def catch_up(self, service: Service = SERVICE, timeout_s: float = 60.0) -> None:
        """Return when the running workers have folded everything there is."""
        admin = KafkaAdmin(self.kafka, timeout_s=2.0)

        def is_done() -> bool:
            try:
                return is_caught_up(service, admin)
            except Unavailable:  # positions of an open transaction are not told
                return False

        until(is_done, timeout_s, f"{service.name} caught up")

    def pass_ends(self, timeout_s: float) -> None:
        """Return when the counters service has folded what stands there now; more may be coming."""
        admin = KafkaAdmin(self.kafka, timeout_s=timeout_s)
        inputs = input_partitions(SERVICE, admin)
        ends = admin.ends(inputs, committed=False)
        until(lambda: has_passed(admin, ends), timeout_s, "folded what stood there")

    def dump(self, topic: str) -> dict[int, dict[str, Any]]:
        """What `streams dump` prints, by the first field."""
        rows = [json.loads(line) for line in self.done("dump", topic).splitlines()]
        for row in rows:
            del row["type"]
        return _by_key(rows)

    def results(self, topic: str) -> dict[int, dict[str, Any]]:
        """The same through `Results`, in this process."""
        with Results(topic, self.kafka, catalog=Catalog.of(PhotoCounters)) as found:
            rows = [_fields(message) for _, message in found.items()]
        return _by_key(rows)

    def counters(self) -> dict[str, dict[int, dict[str, Any]]]:
        """All results of the counters service, by topic."""
        return {topic: self.results(topic) for topic in COUNTERS}


def _fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__}


def _by_key(rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    found = {next(iter(row.values())): row for row in rows}
    assert len(found) == len(rows), "a key was shown twice"
    return found


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "streams.cli.main", *arguments]
