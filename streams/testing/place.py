"""Where a worker may run: one process after the other, in a slot on a host."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from streams.clock import Drain
from streams.engine.assembly import Assembly, assemble
from streams.engine.stage import Stage
from streams.fold.service import Service
from streams.ports.records import TopicPartition
from streams.settings import WorkerSettings
from streams.testing.consumer import InMemoryConsumer
from streams.testing.folders import InMemoryDisk
from streams.testing.log import InMemoryLog
from streams.testing.process import Fault, Process
from streams.testing.simulated_folders import Saved, SimulatedFolders
from streams.testing.simulated_log import Caller, SimulatedLog
from streams.testing.virtual_time import VirtualTime


@dataclass(frozen=True, slots=True)
class Host:
    """One machine. Implements `Identity` of its workers with `number` as the slot."""

    name: str
    disk: InMemoryDisk


@dataclass(frozen=True, slots=True)
class Resident:
    """Who a worker is. Implements `Identity`."""

    instance: str
    number: int


@dataclass(slots=True)
class Ghost:
    """What a process was in its group; one that did not leave is a member still."""

    consumers: Sequence[InMemoryConsumer]
    died_s: float


class Place:
    """A slot on a host. `process` is None while nothing runs there.

    `saved` is told of each store that was just written.
    """

    def __init__(self, host: Host, slot: int, service: Service, saved: Saved) -> None:
        self.host = host
        self.process: Process | None = None
        self.worker: Assembly | None = None
        self.consumers: list[InMemoryConsumer] = []
        self.ghosts: list[Ghost] = []
        self._resident = Resident(host.name, slot)
        self._service = service
        self._saved = saved
        self._drain = Drain(0.0)

    @property
    def owned_live(self) -> list[TopicPartition]:
        """The partitions that its worker folds live."""
        if self.worker is None:
            return []
        owned = self.worker.assignment.partitions
        return [one.source for one in owned if one.stage is Stage.LIVE]

    def start(
        self, log: InMemoryLog, time: VirtualTime, settings: WorkerSettings, pid: int
    ) -> Process:
        """Begin a process; it stands before its first call."""
        self._drain = drain = Drain(settings.drain_timeout_s)

        def work(process: Process) -> None:
            caller = Caller(process, time)
            simulated = SimulatedLog(log, caller)
            self.consumers = simulated.consumers
            folders = SimulatedFolders(self.host.disk, process, self._saved)
            with ExitStack() as stack:
                worker = self.worker = assemble(
                    self._service,
                    simulated,
                    stack,
                    identity=self._resident,
                    folders=folders,
                    settings=settings,
                    drain=drain,
                )
                worker.start(simulated, folders, drain)
                if not drain.is_begun:
                    worker.join()
                    worker.loop.run(drain)

        self.process = Process(pid, work)
        return self.process

    def stop(self) -> None:
        """Tell the worker to end in order, as SIGTERM does."""
        self._drain.begin()

    def advance(self, now_s: float, calls: int, fault: Fault | None = None) -> BaseException | None:
        """Let the process go on; returns the error it ended with, if that happened."""
        process = self.process
        if process is None:
            return None
        process.advance(calls, fault)
        if not process.ended:
            return None
        self._leave(process, now_s)
        return process.failure

    def kill(self, now_s: float) -> None:
        """The process is gone; its group takes a while to notice."""
        process = self.process
        if process is not None:
            process.kill()
            self._leave(process, now_s)

    def expel(self) -> None:
        """The group gives up on the members of this place, dead or alive."""
        for consumer in self.consumers:
            consumer.expire()
        self.bury(float("inf"))

    def bury(self, before_s: float) -> None:
        """The group gives up on members that died before then."""
        for ghost in [one for one in self.ghosts if one.died_s <= before_s]:
            for consumer in ghost.consumers:
                consumer.expire()
            self.ghosts.remove(ghost)

    def beat(self) -> None:
        """The client's own thread speaks with the coordinator."""
        for consumer in self.consumers:
            consumer.heartbeat()

    def _leave(self, process: Process, now_s: float) -> None:
        self.ghosts.append(Ghost(self.consumers, now_s))
        self.host.disk.release(process.pid)
        self.process = None
        self.worker = None
        self.consumers = []
