"""One process of a service: puts the parts together, runs the loop, leaves nothing open."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from streams.clock import Deadline, Drain
from streams.engine.assembly import Assembly, assemble
from streams.engine.health import HealthServer
from streams.engine.loop import CollectorOff
from streams.engine.monitor import Monitor
from streams.engine.slots import Slot
from streams.engine.status import service_home
from streams.errors import BrokerUnavailable
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import Log
from streams.settings import KafkaSettings, WorkerSettings
from streams.state.folder import StateFolders

_SAY_EVERY_S = 10.0


class Worker:
    """Runs a service in this process: `Worker(SERVICE).run()`.

    `log` is the Kafka cluster of the settings unless given. `home` keeps the state; `slot` is the
    preferred slot. One thread runs the worker; `stop` may be called from any.
    """

    def __init__(
        self,
        service: Service,
        *,
        kafka: KafkaSettings | None = None,
        settings: WorkerSettings | None = None,
        home: Path | None = None,
        slot: int = 0,
        log: Log | None = None,
    ) -> None:
        self.service = service
        self._settings = settings or WorkerSettings()
        kafka = kafka or KafkaSettings()
        self._home = service_home(kafka, home)
        self._folders = StateFolders(self._home)
        self._preferred = slot
        self._log = log or _kafka_log(kafka, self._settings)
        self._drain = Drain(self._settings.drain_timeout_s)

    def run(self) -> None:
        """Work until `stop` or SIGTERM; the last commit and checkpoint are made on the way out.

        While no Kafka answers, or none runs here and none is configured, it waits and says so.
        Raises WorkerStopped when a human has to decide, and names the command that goes on;
        TransactionFailed when the last commit had no answer within `drain_timeout_s`: what became
        of it is read at the next start.
        """
        with ExitStack() as stack:
            stack.enter_context(_stopped_by_signals(self))
            slot = Slot.take(self._home, self.service.name, self._preferred)
            stack.callback(slot.release)
            worker = self._assemble(slot, stack)
            if worker is None:
                return
            self._show(worker, slot, stack)
            worker.start(self._log, self._folders, self._drain)
            if not self._drain.is_begun:
                self._work(worker, slot)

    def stop(self) -> None:
        """End `run` soon: drain, commit, checkpoint. Safe from any thread and from a signal."""
        self._drain.begin()

    def _assemble(self, slot: Slot, stack: ExitStack) -> Assembly | None:
        """The parts, once there is an address to give them; None when told to stop before."""
        is_quiet = Deadline.after(0)
        while not self._drain.is_begun:
            try:
                with ExitStack() as parts:
                    worker = assemble(
                        self.service,
                        self._log,
                        parts,
                        identity=slot,
                        folders=self._folders,
                        settings=self._settings,
                        drain=self._drain,
                    )
                    stack.push(parts.pop_all())
                    return worker
            except BrokerUnavailable as exc:  # no local Kafka runs; one may be started any moment
                if is_quiet.is_over:
                    is_quiet = Deadline.after(_SAY_EVERY_S)
                    get_logger().warning("waiting for Kafka", action="waiting", error=str(exc))
                self._drain.wait(1.0)
        return None

    def _show(self, worker: Assembly, slot: Slot, stack: ExitStack) -> None:
        """Answer probes and scrapes; first of all, so that who waits for Kafka is seen to wait."""
        monitor = Monitor(
            self.service,
            slot.number,
            self._home,
            self._log,
            assignment=worker.assignment,
            turned_s=lambda: worker.loop.turned_s,
        )
        stack.enter_context(monitor)
        if self._settings.http_port >= 0:
            server = HealthServer(self._settings.http_host, self._port(slot), monitor)
            stack.enter_context(server)
            monitor.port = server.port

    def _work(self, worker: Assembly, slot: Slot) -> None:
        log = get_logger(service=self.service.name, slot=slot.number)
        worker.join()
        log.info("worker started", action="started")
        with CollectorOff():
            worker.loop.run(self._drain)
        log.info("worker stopped", action="stopped")

    def _port(self, slot: Slot) -> int:
        port = self._settings.http_port
        return port + slot.number if port > 0 else port


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    """SIGTERM and SIGINT stop the worker, in the main thread; elsewhere signals are left alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        worker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kafka_log(kafka: KafkaSettings, settings: WorkerSettings) -> Log:
    from streams.kafka.connection import KafkaLog

    return KafkaLog(kafka, settings)
