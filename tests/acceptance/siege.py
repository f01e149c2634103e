"""Workers killed again and again under load, some of them between begin and commit.

Proof that a kill fell inside a transaction. The victim is killed the moment the tap sees a record
that the victim has just written to counters.contributions (a topic that is never compacted), read
uncommitted. If that record is never visible to a reader of committed records, its transaction was
not committed; and unless some worker logged a failed transaction around the kill, nothing but the
kill can have kept it from being committed. So the process died after its begin and before its
commit took effect.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from dataclasses import dataclass, field
from functools import partial

from services.counters import SERVICE
from streams.clock import Deadline, monotonic_s
from streams.engine.caught_up import input_partitions
from streams.kafka.admin import KafkaAdmin
from streams.ports.records import TopicPartition
from tests.acceptance.facts import CATALOG, CONTRIBUTIONS, records
from tests.acceptance.home import Home, Running, has_passed, until
from tests.acceptance.tap import Sighting, Tap

CAUGHT_UP_WITHIN_S = 60.0
"""A busy machine is given time; how much it took is in the summary."""

_LONGEST_HUNT_S = 30.0
_LONGEST_PAUSE_S = 1.5


@dataclass(slots=True)
class Kill:
    """One SIGKILL. `ends` are where the inputs ended just after it, `took_s` until all was read."""

    pid: int
    sighting: Sighting | None
    at_s: float
    ends: dict[TopicPartition, int]
    failed_transactions: int = 0
    took_s: float = field(default=-1.0)


class Siege:
    """Kills workers of a running counters service, and waits until each is made good."""

    def __init__(self, home: Home, service: Running, tap: Tap, seed: int) -> None:
        self.kills: list[Kill] = []
        self._home = home
        self._service = service
        self._tap = tap
        self._random = random.Random(seed)
        self._admin = KafkaAdmin(home.kafka, timeout_s=1.0)
        self._inputs = input_partitions(SERVICE, self._admin)
        self._owners: dict[str, int] = {}

    def round(self) -> None:
        """Three kills soon after each other, then wait until each is made good."""
        self._kill_in_transaction()
        self._kill_at_random()
        self._kill_in_transaction()
        self._await_recovery()

    def inside_transactions(self) -> list[Kill]:
        """The kills that are proven to have fallen between begin and commit."""
        written = _places(self._home, is_committed_only=False)
        aborted = written - _places(self._home, is_committed_only=True)
        return [
            kill
            for kill in self.kills
            if kill.sighting is not None
            and kill.failed_transactions == 0
            and (kill.sighting.partition, kill.sighting.offset) in aborted
        ]

    @property
    def summary(self) -> str:
        """For people who read the test's output."""
        took = sorted(kill.took_s for kill in self.kills)
        return (
            f"{len(took)} kills, {len(self.inside_transactions())} inside a transaction, made good "
            f"after {took[0]:.1f} to {took[-1]:.1f} s"
        )

    def _kill_at_random(self) -> None:
        """Kill any worker, whatever it is doing."""
        Deadline.after(self._random.uniform(0.0, _LONGEST_PAUSE_S)).pause()
        until(self._look, _LONGEST_HUNT_S, "a worker that owns something")
        victim = self._random.choice(sorted(set(self._owners.values())))
        os.kill(victim, signal.SIGKILL)
        self._note(victim, None, self._failed)

    def _kill_in_transaction(self) -> None:
        """Kill a worker at the sight of what it has just written and not yet committed."""
        until(self._look, _LONGEST_HUNT_S, "a worker that owns something")
        failed = self._failed
        struck: list[tuple[int, Sighting]] = []
        done = threading.Event()

        def strike(seen: Sighting) -> bool:
            victim = self._owners.get(seen.source.rpartition("/")[0])
            if victim is None:
                return False
            os.kill(victim, signal.SIGKILL)
            struck.append((victim, seen))
            done.set()
            return True

        self._tap.arm(strike)
        assert done.wait(_LONGEST_HUNT_S), "no worker wrote anything"
        victim, seen = struck[0]
        self._note(victim, seen, failed)

    def _await_recovery(self) -> None:
        """Return when all that had been written at each kill is read, each within its deadline."""
        for kill in self.kills:
            if kill.took_s < 0:
                left_s = kill.at_s + CAUGHT_UP_WITHIN_S - monotonic_s()
                until(
                    partial(has_passed, self._admin, kill.ends),
                    left_s,
                    "read what stood there at the kill",
                )
                kill.took_s = monotonic_s() - kill.at_s

    @property
    def _failed(self) -> int:
        return len(self._service.said("transaction-failed"))

    def _look(self) -> bool:
        """Learn who owns what; whether anyone alive owns anything."""
        dead = {kill.pid for kill in self.kills}
        self._owners = {
            place: one.pid
            for one in self._home.workers()
            if one.pid not in dead
            for place in one.partitions
        }
        return bool(self._owners)

    def _note(self, victim: int, seen: Sighting | None, failed: int) -> None:
        at_s = monotonic_s()
        ends = self._admin.ends(self._inputs, committed=False)
        self.kills.append(Kill(victim, seen, at_s, ends, self._failed - failed))


def _places(home: Home, *, is_committed_only: bool) -> set[tuple[int, int]]:
    found = records(home.kafka, CONTRIBUTIONS, is_committed_only=is_committed_only)
    return {(one.partition, one.offset) for one in found}


def tap_of(home: Home) -> Tap:
    """A tap on what the first stage writes."""
    return Tap(home.kafka, [CONTRIBUTIONS], CATALOG.topic(CONTRIBUTIONS).partitions)
