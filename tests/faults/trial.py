"""One trial: a scene, a workload, faults, and then the verdict.

with Trial(cluster, folder, seed=7) as trial:
    trial.calm(5)
    trial.strike(KillWorker(), hold_s=2)
    verdict = trial.finish()
"""

from __future__ import annotations

import json
import math
import random
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from services.counters import SERVICE
from streams.clock import Deadline, monotonic_s
from streams.engine.caught_up import input_partitions, is_caught_up
from streams.errors import StreamsError
from streams.kafka.admin import KafkaAdmin
from streams.local.process import wait_until
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings
from tests.acceptance.home import Home
from tests.faults import gather
from tests.faults.checker.check import check
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.outputs import OUTPUTS
from tests.faults.checker.verdict import Verdict, Violation
from tests.faults.cluster import Cluster
from tests.faults.fault import Fault
from tests.faults.fleet import Fleet
from tests.faults.history import History, read_history
from tests.faults.network import Network
from tests.faults.observers import Client, LiveTap, Sampler
from tests.faults.scene import Scene
from tests.faults.stalls import longest_stall_s
from tests.faults.timeline import Timeline, faults_in
from tests.faults.workload import Workload

STARTED_WITHIN_S = 60.0
RECOVERED_WITHIN_S = 60.0
CAUGHT_UP_WITHIN_S = 120.0

_TURN_S = 0.1
_WATCHED_PHOTOS = (1, 2, 3, 5, 8, 13, 21, 34)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a trial is made of; the same plan is the same workload and the same choices.

    `hosts` > 1: workers with folders of their own, so that partitions move without their state.
    `settings` are variables of the workers, `bug` is planted in them. `is_proxied`: what they ask
    of Kafka and hear from it goes through proxies, for faults of the network; `is_wired`: the same,
    from namespaces of their own, in which the kernel can lose it.
    """

    seed: int
    protocol: str = "consumer"
    workers: int = 3
    hosts: int = 1
    per_s: float = 200.0
    is_proxied: bool = False
    is_wired: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    bug: str = ""


@dataclass(slots=True)
class Recovery:
    """One fault and what came after.

    `left` are the ends of the inputs as they were at its heal, of those not read yet; `took_s` the
    seconds until the last of them was. `samples_seen` of the sampler's samples were looked at.
    """

    fault: str
    injected_s: float
    healed_s: float
    left: dict[TopicPartition, int]
    took_s: float = 0.0
    samples_seen: int = 0

    @property
    def summary(self) -> dict[str, Any]:
        """For a report; no time where it never came."""
        took_s = None if self.left else self.took_s
        times = {"injected_s": round(self.injected_s, 2), "healed_s": round(self.healed_s, 2)}
        return {"fault": self.fault, **times, "took_s": took_s}


class Trial:
    """Everything of one trial. `finish` gives the verdict; leaving the block stops what runs."""

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        plan: Plan,
        *,
        is_shown: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.plan = plan
        self.recoveries: list[Recovery] = []
        kafka = KafkaSettings(
            bootstrap_servers=cluster.address, namespace=f"f{secrets.token_hex(4)}."
        )
        timeline = Timeline(folder / "timeline.jsonl", is_shown=is_shown)
        fleet = Fleet(
            kafka,
            folder,
            timeline,
            size=plan.workers,
            hosts=plan.hosts,
            settings={"STREAMS_GROUP_PROTOCOL": plan.protocol, **plan.settings},
            bug=plan.bug,
        )
        self.scene = Scene(
            cluster=cluster,
            kafka=kafka,
            fleet=fleet,
            network=Network(cluster.address, fleet, plan.seed, is_wired=plan.is_wired),
            folder=folder,
            random=random.Random(plan.seed),
            timeline=timeline,
            topics=tuple(dict.fromkeys((*SERVICE.inputs, *OUTPUTS, SERVICE.quarantine))),
        )

    @property
    def slowest_s(self) -> float:
        """The longest recovery so far; infinite when one never came."""
        took = (math.inf if one.left else one.took_s for one in self.recoveries)
        return max(took, default=0.0)

    @property
    def longest_stall_s(self) -> float:
        """The longest time in which the service stood still, whatever was healed meanwhile."""
        return longest_stall_s(self._sampler.samples)

    def calm(self, seconds: float) -> None:
        """Let the workload run; nothing else happens."""
        Deadline.after(seconds).pause()

    def strike(self, fault: Fault, *, hold_s: float | None = None) -> Recovery:
        """Inject, hold, heal, and wait until the service has read what stood there then."""
        recovery = self.harm(fault, hold_s=hold_s)
        self.await_recovery(recovery)
        return recovery

    def harm(self, fault: Fault, *, hold_s: float | None = None) -> Recovery:
        """Inject, hold, heal; how long the recovery takes is found out on the way."""
        injected_s = self.scene.timeline.at_s
        try:
            self.inject(fault)
            self.calm(getattr(fault, "hold_s", 0.0) if hold_s is None else hold_s)
        finally:
            recovery = self.heal(fault, injected_s)
        return recovery

    def inject(self, fault: Fault) -> None:
        """Do the harm, and say so."""
        self.scene.timeline.note("inject", fault=fault.name)
        fault.inject(self.scene)

    def heal(self, fault: Fault, injected_s: float) -> Recovery:
        """Undo the harm, say so, and begin to watch what comes of it."""
        fault.heal(self.scene)
        self.scene.timeline.note("heal", fault=fault.name)
        return self.watch(fault.name, injected_s)

    def watch(self, fault: str, injected_s: float) -> Recovery:
        """What stands there now is to be read soon: `await_recovery` tells."""
        recovery = Recovery(fault, injected_s, self.scene.timeline.at_s, self._ends())
        self.recoveries.append(recovery)
        return recovery

    def heal_all(self) -> None:
        """Whatever was done: all nodes, ways and workers as they were."""
        self.scene.cluster.heal()
        self.scene.network.heal()
        self.scene.fleet.heal()

    def await_recovery(self, recovery: Recovery) -> bool:
        """Whether all that stood there at its heal was read in time."""
        self._until(
            lambda: self.has_recovered(recovery), RECOVERED_WITHIN_S, f"recovered: {recovery.fault}"
        )
        return not recovery.left

    def finish(self, *, is_orderly: bool = True) -> Verdict:
        """Heal, wait until all is read, end the workers (with SIGKILL unless orderly), check."""
        scene = self.scene
        self.heal_all()
        self._workload.stop()
        stopped_s = monotonic_s()
        is_read = self._until(self._is_over, CAUGHT_UP_WITHIN_S, "caught up")
        scene.timeline.note("caught-up", after_s=round(monotonic_s() - stopped_s, 3))
        for observer in (self._tap, self._sampler, self._client):
            observer.stop()
        codes = self._end_workers(is_orderly=is_orderly)
        self._history.__exit__()
        evidence = self._evidence(is_orderly=is_orderly and not any(codes))
        late = Violation("C13", f"not everything was read within {CAUGHT_UP_WITHIN_S:g} s")
        violations = [*check(evidence).violations, *self._ends_badly()]
        verdict = Verdict(violations if is_read else [*violations, late])
        self._write(evidence, verdict)
        return verdict

    def _end_workers(self, *, is_orderly: bool) -> list[int]:
        fleet = self.scene.fleet
        if is_orderly:
            return fleet.stop()
        for index in fleet.alive:
            fleet.kill(index, stays_down=True)
        return [-9]

    def _ends_badly(self) -> list[Violation]:
        """Workers that asked for a human, though nothing happened that only a human can decide."""
        return [
            Violation("C13", f"worker {one.index} ended with {one.code} after {one.at_s:.1f} s")
            for one in self.scene.fleet.needing_a_human
        ]

    def _evidence(self, *, is_orderly: bool) -> Evidence:
        kafka = self.scene.kafka
        every = gather.partitions_of(self._admin, self.scene.topics)
        committed = gather.read_positions(self._admin, self._inputs)
        return Evidence(
            history=read_history(self.scene.folder / "history.jsonl"),
            log=gather.read_log(kafka, every),
            ends=gather.read_ends(self._admin, every),
            positions={source: one.offset for source, one in committed.items()},
            live=self._tap.seen,
            samples=self._sampler.samples,
            resets=self.scene.timeline.resets,
            stores=gather.dump_stores(kafka, self.scene.fleet.homes, committed),
            gets=self._client.gets,
            is_orderly=is_orderly,
        )

    def _write(self, evidence: Evidence, verdict: Verdict) -> None:
        """Leave what people and reports read."""
        for recovery in self.recoveries:
            self.has_recovered(recovery)
        folder = self.scene.folder
        (folder / "verdict.txt").write_text(f"{verdict}\n", encoding="utf-8")
        summary = self.summary(evidence, verdict)
        (folder / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")

    def summary(self, evidence: Evidence, verdict: Verdict) -> dict[str, Any]:
        """The trial in numbers."""
        return {
            "plan": asdict(self.plan),
            "nodes": self.scene.cluster.size,
            "seconds": round(self.scene.timeline.at_s, 1),
            "events": len(evidence.history),
            "records": sum(map(len, evidence.log.values())),
            "results": sum(len(log) for at, log in evidence.log.items() if at.topic in OUTPUTS),
            "faults": faults_in(self.scene.timeline.happenings),
            "verdict": "green" if verdict.is_green else verdict.broken,
            "longest_stall_s": self.longest_stall_s,
            "recoveries": [one.summary for one in self.recoveries],
            "highest_rss_mb": round(self._sampler.highest_rss_bytes / 1e6),
            "worker_ends": [asdict(one) for one in self.scene.fleet.ended],
        }

    def has_recovered(self, recovery: Recovery) -> bool:
        """Whether all that stood there at its heal is read by now; notes how long it took."""
        samples = self._sampler.samples
        while recovery.left and recovery.samples_seen < len(samples):
            one = samples[recovery.samples_seen]
            recovery.samples_seen += 1
            if one.at_s >= recovery.healed_s and one.offset >= recovery.left.get(one.source, 0):
                recovery.left.pop(one.source, None)
                recovery.took_s = round(one.at_s - recovery.healed_s, 2)
        return not recovery.left

    def _ends(self) -> dict[TopicPartition, int]:
        """Where the inputs end now; while no broker answers, where the live reader was."""
        try:
            return self._admin.ends(self._inputs, committed=False)
        except StreamsError:
            return {source: self._tap.position(source) for source in self._inputs}

    def _is_over(self) -> bool:
        """Whether all is read, or never will be."""
        return bool(self.scene.fleet.needing_a_human) or self._is_caught_up()

    def _is_caught_up(self) -> bool:
        try:
            return is_caught_up(SERVICE, self._admin)
        except StreamsError:
            return False

    def _until(self, is_so: Any, timeout_s: float, wanted: str) -> bool:
        """Whether it is so in time; when not, the checker says what that broke."""
        deadline = Deadline.after(timeout_s)
        while not is_so():
            if deadline.is_over:
                self.scene.timeline.note("not-in-time", wanted=wanted, timeout_s=timeout_s)
                return False
            deadline.pause(_TURN_S)
        return True

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def _start(self, stack: ExitStack) -> None:
        scene = self.scene
        scene.timeline.note("begin", **asdict(self.plan))
        Home(scene.kafka, scene.folder).done("topics", "apply")
        self._admin = KafkaAdmin(scene.kafka)
        stack.callback(self._admin.close)
        self._inputs = input_partitions(SERVICE, self._admin)
        every = gather.partitions_of(self._admin, scene.topics)
        if self.plan.is_proxied or self.plan.is_wired:
            stack.enter_context(scene.network)
        stack.enter_context(scene.fleet).start()
        is_started = wait_until(self._is_started, Deadline.after(STARTED_WITHIN_S))
        assert is_started, f"the workers do not own all partitions; see {scene.folder}"
        self._tap = LiveTap(scene.kafka, every, scene.timeline)
        self._sampler = Sampler(scene.kafka, scene.fleet, self._tap, self._inputs, scene.timeline)
        self._client = Client(scene.kafka, "counters.photos", _WATCHED_PHOTOS, scene.timeline)
        for observer in (self._tap, self._sampler, self._client):
            stack.enter_context(observer)
        self._history = stack.enter_context(History(scene.folder / "history.jsonl"))
        self._workload = Workload(
            scene.kafka, self._history, seed=self.plan.seed, per_s=self.plan.per_s
        )
        stack.enter_context(self._workload)

    def _is_started(self) -> bool:
        return len(self.scene.fleet.owners()) == len(self._inputs)

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)
