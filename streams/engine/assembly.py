"""The parts of one worker, put together over any log."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass

from streams.clock import Deadline, Drain, monotonic_s
from streams.engine.assignment import Assignment
from streams.engine.commit import Committer
from streams.engine.decision_log import DecisionLog
from streams.engine.first_start import ensure_started
from streams.engine.instruments import Instruments
from streams.engine.loop import Loop
from streams.engine.membership import Membership
from streams.engine.opening import Opener
from streams.engine.originals import Originals
from streams.engine.requests import Requests
from streams.engine.slots import Identity
from streams.errors import BrokerUnavailable
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import Consumer, Log, LogAdmin
from streams.ports.store import Folders
from streams.settings import WorkerSettings

_START_S = 20.0
_LEAVE_S = 10.0
_LEAST_LEAVE_S = 0.5
"""Time to leave the group, also when the time to stop is over; the supervisor allows 2 s more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """One worker that has not joined its group yet. Owned by the worker's thread."""

    service: Service
    consumer: Consumer
    assignment: Assignment
    committer: Committer
    loop: Loop

    def start(self, log: Log, folders: Folders, drain: Drain) -> None:
        """Check the topics, commit the start offsets; waits, saying so, while no broker answers.

        What a dead self left open is aborted first: until then nobody is told its positions.
        """
        while not drain.is_begun:
            self.loop.turned_s = monotonic_s()  # to wait for a broker is not to be stuck
            try:
                self.committer.start()
                ensure_started(self.service, log, folders, Deadline.after(_START_S, drain))
            except BrokerUnavailable as exc:
                get_logger().warning("waiting for Kafka", action="waiting", error=str(exc))
                drain.wait(1.0)
            else:
                return

    def join(self) -> None:
        """Abort what a dead predecessor left open, then join the group."""
        self.committer.start()
        self.consumer.subscribe(self.service.inputs, self.assignment)


def assemble(
    service: Service,
    log: Log,
    stack: ExitStack,
    *,
    identity: Identity,
    folders: Folders,
    settings: WorkerSettings,
    drain: Drain,
) -> Assembly:
    """A worker of `service`; `stack` closes its parts."""
    admin = stack.enter_context(closing(log.admin()))
    consumer = log.consumer(service.name)
    stack.callback(lambda: consumer.close(_time_to_leave(drain)))
    instruments = Instruments(service.name)
    membership = Membership(consumer)
    transactional_id = f"{service.name}.{identity.instance}.{identity.number}"
    committer = Committer(
        lambda deadline: log.transactions(transactional_id, deadline),
        lambda partitions, deadline: admin.group_positions(service.name, partitions, deadline),
        membership=membership,
        instruments=instruments,
        drain=drain,
        transaction_timeout_s=settings.transaction_timeout_s,
    )
    stack.callback(committer.close)
    decisions, originals = _readers(service, log, admin, stack, drain)
    opener = Opener(service, folders, admin, decisions, originals)
    assignment = Assignment(
        service,
        consumer,
        opener=opener,
        committer=committer,
        membership=membership,
        instruments=instruments,
        drain=drain,
    )
    stack.callback(assignment.close)
    loop = Loop(
        settings,
        consumer,
        assignment=assignment,
        committer=committer,
        membership=membership,
        requests=Requests(decisions, assignment, admin),
        instruments=instruments,
    )
    return Assembly(
        service=service, consumer=consumer, assignment=assignment, committer=committer, loop=loop
    )


def _readers(
    service: Service, log: Log, admin: LogAdmin, stack: ExitStack, drain: Drain
) -> tuple[DecisionLog, Originals]:
    reader, originals = log.reader(), Originals(log.reader, drain)
    stack.callback(reader.close)
    stack.callback(originals.close)
    return DecisionLog(service.decisions, admin, reader), originals


def _time_to_leave(drain: Drain) -> Deadline:
    return Deadline.after(max(_LEAST_LEAVE_S, min(_LEAVE_S, drain.left_s)))
