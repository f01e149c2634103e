"""One run of one system on one job, and whether its answer is right."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from schemas.demo import LikesCounted
from schemas.social import PhotoLiked, PhotoUnliked
from streams import Catalog
from streams.clock import Deadline
from streams.kafka.admin import KafkaAdmin
from streams.kafka.config import base_config, physical
from streams.settings import KafkaSettings
from tests.benchmarks import answers
from tests.benchmarks.field import System
from tests.benchmarks.stopwatch import Measured, measure
from tests.benchmarks.workload import TOPIC, Answers, Workload, fill, make_topics

RUN = f"bench-{uuid.uuid4().hex[:6]}"
"""What every topic and group of this run begins with."""

RESULTS = "demo.counts"
_PARTITIONS = 4
_ADMIN_S = 30
_POLL_S = 0.1
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where trials run: a cluster, and the local broker's process if it is ours to watch."""

    kafka: KafkaSettings
    bootstrap: str
    broker_pid: int | None

    def fresh(self, name: str) -> Place:
        """The same cluster, with topics of its own."""
        namespace = f"{RUN}-{name}-{next(_numbers)}."
        kafka = KafkaSettings(bootstrap_servers=self.bootstrap, namespace=namespace)
        return Place(kafka=kafka, bootstrap=self.bootstrap, broker_pid=self.broker_pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one run showed. `wrong` is how many photos had another answer than expected."""

    events: int
    measured: Measured
    wrong: int

    @property
    def events_per_s(self) -> float:
        """From the first record processed to the last output committed."""
        return self.events / self.measured.seconds

    @property
    def events_per_cpu_s(self) -> float:
        """The same for a second on a core, without the broker's."""
        return self.events / self.measured.cpu_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A topic with events on it, and the answers."""

    place: Place
    workload: Workload
    answers: Answers


def filled(place: Place, workload: Workload) -> Filled:
    """Topics of their own with the events of `workload` on them."""
    place = place.fresh(workload.name)
    return Filled(place=place, workload=workload, answers=fill(place.kafka, workload))


def fold_trial(
    given: Filled, system: System, job: str, more: Mapping[str, Any] | None = None
) -> Trial:
    """Run `system` over all events; its answer is read from its results topic."""
    place, count = given.place, given.workload.count
    warm_up = system.warm_up if count > system.warm_up else 0
    group = f"{RUN}-{job}-{next(_numbers)}"
    into = RESULTS if system.is_ours else f"into-{next(_numbers)}"
    _make_empty(place.kafka, into)
    before = answers.ends(place.kafka, into, _PARTITIONS)
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    options = _common(given, system, group, into, home) | {"job": job} | (more or {})
    if warm_up:
        options["warm_up"] = warm_up
    try:
        measured = measure(system.command(), options, broker_pid=place.broker_pid)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    found = answers.counts(place.kafka, before)
    return Trial(
        events=count - warm_up,
        measured=measured,
        wrong=answers.wrong(getattr(given.answers, job), found),
    )


def replay_trial(given: Filled, system: System, more: Mapping[str, Any] | None = None) -> Trial:
    """Fold once, then rebuild the same state from the log with an empty home, without output."""
    place = given.place
    group = f"{RUN}-replay-{next(_numbers)}"
    _make_empty(place.kafka, RESULTS)
    with tempfile.TemporaryDirectory(prefix="bench-") as first:
        options = _common(given, system, group, RESULTS, Path(first)) | (more or {})
        measure(system.command(), options | {"job": "members"}, broker_pid=place.broker_pid)
    before = answers.ends(place.kafka, RESULTS, _PARTITIONS)
    with tempfile.TemporaryDirectory(prefix="bench-") as second:
        options |= {"job": "replay", "home": second}
        measured = measure(system.command(), options, broker_pid=place.broker_pid)
    found = {int(photo): count for photo, count in measured.facts["counts"].items()}
    spoken = answers.counts(place.kafka, before)
    return Trial(
        events=given.workload.count,
        measured=measured,
        wrong=answers.wrong(given.answers.members, found) + len(spoken),
    )


def plain_trial(given: Filled, system: System) -> Trial:
    """Run a program that gives no answer: the bare consume."""
    options = _common(given, system, f"{RUN}-bare", RESULTS, Path())
    measured = measure(system.command(), options, broker_pid=given.place.broker_pid)
    return Trial(events=given.workload.count, measured=measured, wrong=0)


def emit_trial(place: Place, system: System, events: int) -> Trial:
    """Let a producer send `events` to a fresh topic; every one must stand there then."""
    place = place.fresh("emit")
    make_topics(place.kafka)
    given = Filled(place=place, workload=Workload(count=events), answers=Answers({}, {}))
    options = _common(given, system, f"{RUN}-emit", TOPIC, Path()) | {"job": "emit"}
    measured = measure(system.command(), options, broker_pid=place.broker_pid)
    stand = sum(answers.ends(place.kafka, TOPIC, _PARTITIONS).values())
    return Trial(events=events, measured=measured, wrong=abs(events - stand))


def delete_topics(place: Place) -> None:
    """Delete every topic of this run, also those that peers made for themselves."""
    client = AdminClient(base_config(place.kafka))
    names = [name for name in client.list_topics(timeout=_ADMIN_S).topics if name.startswith(RUN)]
    for future in client.delete_topics(names).values() if names else ():
        future.result(_ADMIN_S)


def _common(given: Filled, system: System, group: str, into: str, home: Path) -> dict[str, Any]:
    """What every program is told; ours need the namespace, the peers the names in full."""
    place, catalog = given.place, Catalog.find()
    told: dict[str, Any] = {
        "bootstrap": place.bootstrap,
        "group": group,
        "events": given.workload.count,
    }
    if system.is_ours:
        told |= {
            "namespace": place.kafka.namespace,
            "before": given.workload.before,
            "home": str(home),
        }
    else:
        told |= {
            "source": physical(place.kafka, TOPIC),
            "into": physical(place.kafka, into),
            "state": str(home),
            "schemas": {
                str(catalog.schema_id(kind)): catalog.schema(kind)
                for kind in (PhotoLiked, PhotoUnliked)
            },
            "result_id": catalog.schema_id(LikesCounted),
        }
    return told | system.options


def _make_empty(kafka: KafkaSettings, topic: str) -> None:
    """Make the topic anew: our services refuse to start where another's results stand."""
    client, name = AdminClient(base_config(kafka)), physical(kafka, topic)
    if name in client.list_topics(timeout=_ADMIN_S).topics:
        client.delete_topics([name])[name].result(_ADMIN_S)
    deadline, pause = Deadline.after(_ADMIN_S), threading.Event()
    while name in client.list_topics(timeout=_ADMIN_S).topics:
        if deadline.is_over:
            raise RuntimeError(f"the topic {name} is still there {_ADMIN_S} s after its deletion")
        pause.wait(_POLL_S)
    admin = KafkaAdmin(kafka)
    try:
        admin.create_topic(topic, _PARTITIONS, {})
    finally:
        admin.close()
