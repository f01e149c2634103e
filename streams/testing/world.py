"""A service with its workers, hosts and log, which moves in steps.

Each commit is judged, and each checkpoint.

Every step is legal at any time; one that makes no sense just now changes nothing. So a schedule
stays one when steps are taken out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count, groupby
from typing import Final

from streams import clock, logs
from streams.errors import BrokerUnavailable, TransactionFailed
from streams.fold.service import Service
from streams.ports.records import Outgoing, TopicPartition
from streams.ports.store import Store
from streams.settings import WorkerSettings
from streams.testing.folders import InMemoryDisk
from streams.testing.log import InMemoryLog
from streams.testing.partition import Transaction
from streams.testing.place import Host, Place
from streams.testing.process import Fault, Process
from streams.testing.referee import Finding, Referee
from streams.testing.saved_states import wrong_store
from streams.testing.schedule import Setup, Step
from streams.testing.virtual_time import VirtualTime
from streams.topics.declared import decisions_topic, quarantine_topic

SESSION_S: Final = 6.0
"""The group expels a member that died this long ago."""

TRANSACTION_S: Final = 15.0
"""The broker aborts a transaction that has been open this long."""

_HEALS: Final = (TransactionFailed, BrokerUnavailable, OSError)
"""What ends a process that is then started again."""


class World:
    """One run of one service. Owned by one thread; `close` ends its processes.

    `finding` is the first thing that was wrong. `hear` is told what happens, in words, with `names`
    for the records. `is_settling` once faults are over.
    """

    def __init__(
        self,
        service: Service,
        setup: Setup,
        records: Sequence[Outgoing],
        *,
        may_park: bool = False,
        names: Sequence[str] = (),
        hear: Callable[[str], None] | None = None,
    ) -> None:
        self.service = service
        self.setup = setup
        self.time = VirtualTime(self._wait)
        self.log = InMemoryLog(setup.protocol)
        self.emitted = 0
        self._records = records
        self._names = names
        self._hear = hear
        self.is_settling = False
        self._fault: Finding | None = None
        self._pids = count(1)
        self._running: Place | None = None
        self._open_since: dict[Transaction, float] = {}
        self._make_topics()
        self.referee = Referee(service, self.log, may_park=may_park)
        self.log.on_commit(self.referee.committed)
        hosts = [Host(f"host-{number}", InMemoryDisk()) for number in range(setup.hosts)]
        self.places = [
            Place(hosts[number % setup.hosts], number // setup.hosts, service, self._judge_store)
            for number in range(setup.workers)
        ]
        self.hosts = hosts
        self._settings = WorkerSettings(
            commit_interval_s=setup.commit_interval_s,
            checkpoint_interval_s=setup.checkpoint_interval_s,
            poll_records=setup.poll_records,
            cache_entries=setup.cache_entries,
        )

    @property
    def finding(self) -> Finding | None:
        """The first thing that was wrong."""
        return self._fault or self.referee.finding

    @property
    def left(self) -> int:
        """Records of the input that have not arrived yet."""
        return len(self._records) - self.emitted

    def step(self, step: Step) -> None:
        """Do one step of a schedule."""
        word, *numbers = step
        if self._hear is not None and not self.is_settling:
            self._hear(" ".join(map(str, step)))
        getattr(self, f"_{word}")(*numbers)
        self._let_time_work()

    def settle(self) -> None:
        """Faults are over from here on."""
        self.is_settling = True
        if self._hear is not None:
            self._hear("then faults are over: every worker goes on until all is folded, and stops")

    def close(self) -> None:
        """End every process."""
        for place in self.places:
            place.kill(self.time.now_s)

    def _emit(self, records: int) -> None:
        """The next records of the input arrive."""
        for _ in range(min(records, self.left)):
            self.emitted += 1
            self._append(self.emitted - 1)

    def _again(self) -> None:
        """Its last record arrives once more, as when whoever emits it had no answer."""
        if self.emitted:
            self._append(self.emitted - 1)

    def _start(self, worker: int) -> None:
        """A process begins where none runs."""
        place = self._place(worker)
        if place.process is None:
            with clock.simulated(self.time), logs.listening(self._heard):
                place.start(self.log, self.time, self._settings, next(self._pids))
            self._go(place, 0)

    def _run(self, worker: int, calls: int) -> None:
        """A process makes its next calls."""
        if calls:
            self._go(self._place(worker), calls)

    def _crash(self, worker: int) -> None:
        """A process is killed where it stands."""
        self._place(worker).kill(self.time.now_s)

    def _stop(self, worker: int) -> None:
        """SIGTERM."""
        with clock.simulated(self.time):
            self._place(worker).stop()

    def _fail(self, worker: int) -> None:
        """The call before which a process stands fails."""
        self._go(self._place(worker), 1, Fault.FAIL)

    def _lost(self, worker: int) -> None:
        """That call takes effect, and its answer is lost."""
        self._go(self._place(worker), 1, Fault.LOST)

    def _late(self, worker: int) -> None:
        """That call fails, and takes effect later."""
        self._go(self._place(worker), 1, Fault.LATE)

    def _slow(self, worker: int) -> None:
        """That call succeeds slowly; a copy of it is still under way."""
        self._go(self._place(worker), 1, Fault.SLOW)

    def _deliver(self) -> None:
        """The oldest request to commit that is under way arrives."""
        self.log.deliver_late()

    def _expel(self, worker: int) -> None:
        """The group gives up on a member."""
        self._place(worker).expel()

    def _beat(self, worker: int) -> None:
        """A member's client speaks with its coordinator."""
        self._place(worker).beat()

    def _sleep(self, seconds: int) -> None:
        """Nothing happens for a while."""
        self.time.now_s += seconds

    def _wipe(self, host: int) -> None:
        """A host without processes loses its disk."""
        found = self.hosts[host % len(self.hosts)]
        if not any(place.process for place in self.places if place.host is found):
            found.disk.rows.clear()
            found.disk.markers.clear()

    def _place(self, worker: int) -> Place:
        return self.places[worker % len(self.places)]

    def _append(self, number: int) -> None:
        one = self._records[number]
        record = self.log.append(one.topic, one.key, one.value, one.headers, one.partition)
        if self._hear is not None and number < len(self._names):
            self._hear(f"    {record.source}: {self._names[number]}")

    def _go(self, place: Place, calls: int, fault: Fault | None = None) -> None:
        self._running = place
        process = place.process
        failure = place.advance(self.time.now_s, calls, fault)
        self._running = None
        if process is not None:
            self._tell(process, failure)
        if failure is not None and not isinstance(failure, _HEALS):
            self._fault = self._fault or _ended(failure)

    def _judge_store(self, source: TopicPartition, store: Store) -> None:
        if self.finding is None:
            self._fault = wrong_store(self.referee.partitions[source], store)

    def _let_time_work(self) -> None:
        """What a broker does by itself when enough time has passed."""
        for place in self.places:
            place.bury(self.time.now_s - SESSION_S)
        found, since = self.log.open_transactions(), self._open_since
        self._open_since = {one: since.get(one, self.time.now_s) for one in found.values()}
        for transactional_id, one in found.items():
            if self.time.now_s - self._open_since[one] > TRANSACTION_S:
                self.log.expire_transactions([transactional_id])

    def _wait(self) -> None:
        place = self._running
        if place is not None and place.process is not None:
            place.process.reach("wait")

    def _tell(self, process: Process, failure: BaseException | None) -> None:
        made, process.made = process.made, []
        if self._hear is None:
            return
        if made and not self.is_settling:
            self._hear(f"    calls: {counted(made)}")
        if failure is not None:
            self._hear(f"    ended: {type(failure).__name__}: {failure}")
        elif process.standing and not self.is_settling:
            self._hear(f"    stands before: {process.standing}")

    def _heard(self, line: logs.Line) -> None:
        if self._hear is not None:
            self._hear(f"    says: {line}")

    def _make_topics(self) -> None:
        catalog, service = self.service.catalog, self.service
        outputs = [topic.name for topic in service.output_topics]
        for name in dict.fromkeys((*service.inputs, *outputs)):
            self.log.create_topic(name, catalog.topic(name).partitions)
        for topic in (quarantine_topic(service.name), decisions_topic(service.name)):
            self.log.create_topic(topic.name, topic.partitions)


def counted(calls: Iterable[str]) -> str:
    """Calls in their order, those that repeat with their number."""
    runs = ((call, sum(1 for _ in run)) for call, run in groupby(calls))
    return ", ".join(call if times == 1 else f"{call} ({times} times)" for call, times in runs)


def _ended(failure: BaseException) -> Finding:
    return Finding("stopped", f"a worker stopped: {type(failure).__name__}: {failure}")
