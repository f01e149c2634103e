"""The demo from start to end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from services.demo.compare import Comparison, compare, published
from services.demo.generator import social_events
from services.demo.kill import TakeOver, kill, victim_of
from services.demo.pace import Pace, Rate
from services.demo.place import Place
from services.demo.recount import recount
from services.demo.scene import Scene
from services.demo.supervisor import Supervisor
from services.demo.table import PlainLines
from services.demo.watch import Watch
from services.demo.workers import count_of, name_of, owned
from streams.clock import Deadline, monotonic_s
from streams.engine.services import load_service
from streams.engine.status import WorkerStatus, read_statuses
from streams.errors import StreamsError
from streams.events.message import Event
from streams.sdk.client import EventClient

SERVICE: Final = "counters"

_TICK_S: Final = 0.05
_START_S: Final = 60.0
_CATCH_UP_S: Final = 90.0

_LEAST_LEFT: Final = 0.3
"""A worker dies while at least this share of the events is still to come, or the demo fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much, how fast, and when a worker dies (`kill_at`: the share of events emitted)."""

    events: int = 200_000
    pace_s: float = 25.0
    workers: int = 2
    kill_at: float = 0.4
    seed: int = 7
    keep: bool = False


class Demo:
    """One run; `how_to_look` says afterwards how to look around in what runs on."""

    def __init__(self, plan: Plan, screen: PlainLines) -> None:
        self._plan = plan
        self._screen = screen
        self._events: list[Event] = []
        self._emitted = 0
        self._rates = (Rate(), Rate())
        self._take_over: TakeOver | None = None
        self._pause = threading.Event()
        self.how_to_look = ""

    def run(self) -> Comparison:
        """Start everything, emit, kill a worker, compare, and stop everything.

        1. Kafka and topics. 2. The workers, until they own every partition. 3. The events, with a
        worker killed on the way. 4. Until all is counted. 5. The recount.
        """
        with ExitStack() as opened:
            self._place = Place()
            opened.callback(self._place.close)
            self._place.open(SERVICE, self._screen.say)
            self._start_workers(opened)
            self._emit()
            self._catch_up()
            comparison = self._compare()
            self._watch.stop()
            if self._plan.keep:
                self.how_to_look = self._place.how_to_look(self._supervisor.pid)
                opened.pop_all()
        return comparison

    def _start_workers(self, opened: ExitStack) -> None:
        environment = self._place.environment
        self._supervisor = Supervisor(SERVICE, self._plan.workers, environment)
        opened.callback(self._supervisor.stop)
        self._watch = Watch(self._place.kafka, load_service(SERVICE))
        self._watch.start()
        opened.callback(self._watch.stop)
        self._events = list(social_events(self._plan.seed, self._plan.events))
        self._until(self._is_every_partition_owned, _START_S, "the workers own every partition")
        for worker in self._workers():
            self._screen.say(f"{name_of(worker)} owns {count_of(worker)}")

    def _emit(self) -> None:
        """All events at the pace of the plan; a worker dies when its share of them is out."""
        self._screen.say(f"emitting {len(self._events):,} events over {self._plan.pace_s:g} s")
        pace = Pace(len(self._events), self._plan.pace_s)
        with EventClient(self._place.kafka) as client:
            while self._emitted < len(self._events):
                due = pace.due()
                for event in self._events[self._emitted : due]:
                    client.emit(event)
                self._emitted = due
                if self._take_over is None and due >= self._plan.kill_at * len(self._events):
                    self._kill()
                self._tick()
            client.flush()
        self._screen.say(f"all {self._emitted:,} events are acknowledged")

    def _kill(self) -> None:
        """Kill one; without anybody to kill, the next tick tries again, as long as much is left."""
        left = 1 - self._emitted / len(self._events)
        victim = victim_of(self._workers())
        if left < _LEAST_LEFT or victim is None or not kill(victim):
            return
        self._take_over = TakeOver(victim, monotonic_s())
        self._screen.say(f"SIGKILL to {name_of(victim)}, which owned {count_of(victim)}")
        self._screen.say(
            f"by then {self._emitted:,} of {len(self._events):,} events were emitted, and "
            f"{self._watch.seen.processed:,} or more of them counted"
        )

    def _catch_up(self) -> None:
        if self._take_over is None:
            raise StreamsError(
                f"found no live worker to kill while {_LEAST_LEFT:.0%} of the events were still "
                f"to come; wanted one; at the end: {self._scene().line()}"
            )
        self._until(
            self._is_taken_over, _CATCH_UP_S, "the dead worker's partitions have new owners"
        )
        self._until(self._is_everything_counted, _CATCH_UP_S, "every event is counted")
        final = self._scene(is_over=True)
        self._screen.show(final)
        self._screen.say(
            f"caught up: every event is counted, {final.counted_per_s:,.0f} a second on average"
        )

    def _compare(self) -> Comparison:
        self._screen.say("comparing every counter with a recount of what was emitted")
        expected = recount(self._events)
        return compare(expected, published(expected, self._place.kafka))

    def _is_every_partition_owned(self) -> bool:
        workers, partitions = self._workers(), self._watch.seen.partitions
        is_complete = 0 < partitions == len(owned(workers))
        return is_complete and len([one for one in workers if one.partitions]) == self._plan.workers

    def _is_taken_over(self) -> bool:
        return self._take_over is not None and self._take_over.took_s is not None

    def _is_everything_counted(self) -> bool:
        seen = self._watch.seen
        return seen.processed >= self._emitted and seen.is_caught_up

    def _until(self, is_done: Callable[[], bool], longest_s: float, wanted: str) -> None:
        deadline = Deadline.after(longest_s)
        while not is_done():
            if deadline.is_over:
                raise StreamsError(
                    f"found this after {longest_s:g} s: {self._scene().line()}; wanted: {wanted}"
                )
            self._tick()
        self._screen.show(self._scene())

    def _tick(self) -> None:
        """Look after the workers, tell what changed, and pause for a moment."""
        self._supervisor.check()
        if self._take_over is not None:
            for sentence in self._take_over.look(self._workers(), monotonic_s()):
                self._screen.say(sentence)
        self._screen.show(self._scene())
        self._pause.wait(_TICK_S)

    def _workers(self) -> list[WorkerStatus]:
        return read_statuses(self._place.service_home, SERVICE)

    def _scene(self, *, is_over: bool = False) -> Scene:
        """How things stand; at the end with the averages, since nothing moves any more."""
        seen = self._watch.seen
        emitting, counting = self._rates
        emitted_per_s, counted_per_s = emitting.of(self._emitted), counting.of(seen.processed)
        return Scene(
            total=len(self._events),
            emitted=self._emitted,
            emitted_per_s=emitting.average(emitting.began_s) if is_over else emitted_per_s,
            counted_per_s=counting.average(emitting.began_s) if is_over else counted_per_s,
            are_averages=is_over,
            seen=seen,
            workers=tuple(self._workers()),
            dead_pid=self._take_over.victim.pid if self._take_over else 0,
        )
