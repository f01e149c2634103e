"""What `streams doctor` looks at: each function turns facts into findings."""

from __future__ import annotations

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from streams.cli.unexpected import EXTRAS
from streams.engine.skipped import Skipped
from streams.kafka.describe import ClientVersions, Cluster
from streams.settings import WorkerSettings
from streams.topics.diff import Change, Difference

BROKER: Final = "broker"
"""The check whose failure means that Kafka cannot be reached."""

SKIPPED: Final = "skipped"
"""The check of what services leave out."""

MIN_OFFSETS_RETENTION_DAYS: Final = 90
"""A service stopped for longer than the broker keeps its offsets cannot go on by itself."""

MIN_FREE_BYTES: Final = 1 << 30
"""Below this, a checkpoint or the local Kafka soon fails."""

_ASK: Final = "ask for DescribeConfigs on the cluster, or check them by hand"

_CURES: Final = {
    Change.CONFIGURE: "run: streams topics apply",
    Change.REPARTITION: "keys now go elsewhere: make a new topic and replay into it",
}

_MINUTES_A_DAY: Final = 24 * 60

KNOWN_BAD: Final[tuple[tuple[tuple[int, ...], tuple[int, ...], str], ...]] = (
    ((0,), (2, 12), "has no KIP-848 groups fit for use"),
    ((2, 12), (2, 13), "stalls in KIP-848 groups without a word"),
    ((2, 13), (2, 15), "may not rejoin a KIP-848 group after a slow poll"),
)
"""Client versions from, up to but without, and what they get wrong."""


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was found, and what to do unless it is ok."""

    check: str
    status: Status
    found: str
    advice: str = ""


def check_cluster(cluster: Cluster) -> Iterator[Finding]:
    """That it answers, and which release it is."""
    found = f"{cluster.servers}: Kafka {cluster.release}, {cluster.brokers} broker(s)"
    yield Finding(BROKER, Status.OK, found)


def check_clients(versions: ClientVersions) -> Iterator[Finding]:
    """Versions of confluent-kafka and librdkafka that are known to be bad."""
    for name, text in (("confluent-kafka", versions.package), ("librdkafka", versions.librdkafka)):
        fault = _known_fault(text)
        if fault:
            advice = "run: pip install --upgrade 'confluent-kafka>=2.16'"
            yield Finding("client", Status.FAIL, f"{name} {text} {fault}", advice)
        else:
            yield Finding("client", Status.OK, f"{name} {text}")


def check_groups(cluster: Cluster, worker: WorkerSettings) -> Iterator[Finding]:
    """That the broker speaks the group protocol that workers are set to use."""
    protocols = cluster.settings.get("group.coordinator.rebalance.protocols", "classic")
    assignors = cluster.settings.get("group.consumer.assignors", "range")
    if not cluster.settings:
        yield Finding("groups", Status.WARN, "not allowed to read the broker's settings", _ASK)
    elif worker.group_protocol == "consumer" and "consumer" not in protocols.split(","):
        found = f"the broker speaks {protocols}; STREAMS_GROUP_PROTOCOL is consumer (KIP-848)"
        advice = "upgrade to Kafka 4.0 or newer, or set STREAMS_GROUP_PROTOCOL=classic"
        yield Finding("groups", Status.FAIL, found, advice)
    elif worker.group_protocol == "consumer" and "range" not in assignors:
        found = f"the broker assigns by {assignors}, wanted range"
        yield Finding("groups", Status.FAIL, found, "add range to group.consumer.assignors")
    else:
        yield Finding("groups", Status.OK, f"{worker.group_protocol} protocol")


def check_offsets_retention(cluster: Cluster) -> Iterator[Finding]:
    """That committed positions outlive a long stop."""
    minutes = cluster.settings.get("offsets.retention.minutes")
    if minutes is None:
        yield Finding("offsets", Status.WARN, "cannot see offsets.retention.minutes", _ASK)
        return
    days = int(minutes) / _MINUTES_A_DAY
    found = f"committed positions are kept for {days:g} days after a group stops"
    if days < MIN_OFFSETS_RETENTION_DAYS:
        wanted = 365 * _MINUTES_A_DAY
        advice = f"set offsets.retention.minutes={wanted} on the brokers (a year)"
        yield Finding("offsets", Status.WARN, found, advice)
    else:
        yield Finding("offsets", Status.OK, found)


def check_topics(declared: int, found: Collection[Difference]) -> Iterator[Finding]:
    """That declared topics exist as declared; topics of others are not looked at."""
    missing = [one.topic for one in found if one.change is Change.CREATE]
    others = [one for one in found if one.change in (Change.CONFIGURE, Change.REPARTITION)]
    if missing:
        text = f"{len(missing)} of {declared} declared topics are missing: {', '.join(missing)}"
        yield Finding("topics", Status.FAIL, text, "run: streams topics apply")
    for one in others:
        text = f"{one.topic}: found {one.found}, wanted {one.wanted}"
        yield Finding("topics", Status.FAIL, text, _CURES[one.change])
    if not missing and not others:
        yield Finding("topics", Status.OK, f"{declared} declared topics are as declared")


def check_skipped(services: Iterable[Skipped]) -> Iterator[Finding]:
    """That no service leaves keys or records out."""
    are_whole = True
    for one in services:
        if one.parked:
            are_whole = False
            found = f"{one.service}: keys parked: {len(one.parked):,}; what it says of them is old"
            advice = (
                f"run: streams parked list {one.service}; with a mended handler: streams parked "
                f"retry {one.service} --all"
            )
            yield Finding(SKIPPED, Status.WARN, found, advice)
        if one.quarantined:
            are_whole = False
            found = f"{one.service}: records in quarantine, not folded: {len(one.quarantined):,}"
            advice = (
                f"run: streams quarantine list {one.service}; once they decode: streams quarantine "
                f"redrive {one.service} --all"
            )
            yield Finding(SKIPPED, Status.WARN, found, advice)
        if one.asked:
            found = f"{one.service}: asked for and not answered yet: {len(one.asked):,}"
            yield Finding(SKIPPED, Status.WARN, found, f"run: streams run {one.service}")
    if are_whole:
        yield Finding(SKIPPED, Status.OK, "no key is parked, no record is in quarantine")


def check_home(home: Path) -> Iterator[Finding]:
    """That local state can be written, and has room."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            free = shutil.disk_usage(home).free
    except OSError as exc:
        advice = "set STREAMS_HOME to a folder that this user may write to"
        yield Finding("home", Status.FAIL, f"cannot write to {home}: {exc.strerror}", advice)
        return
    found = f"{home}: {free / (1 << 30):,.1f} GiB free"
    if free < MIN_FREE_BYTES:
        yield Finding("home", Status.WARN, found, "free some space, or move STREAMS_HOME")
    else:
        yield Finding("home", Status.OK, found)


def check_extras() -> Iterator[Finding]:
    """Which optional parts are installed."""
    for extra in dict.fromkeys(EXTRAS.values()):
        modules = [name for name, one in EXTRAS.items() if one == extra]
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            found = f"{extra}: {', '.join(missing)} not installed"
            advice = f"if you need it, run: pip install 'millrace[{extra}]'"
            yield Finding("extras", Status.WARN, found, advice)
        else:
            yield Finding("extras", Status.OK, f"{extra}: {', '.join(modules)}")


def _known_fault(version: str) -> str | None:
    numbers = tuple(map(int, re.findall(r"\d+", version)[:3]))
    for low, high, fault in KNOWN_BAD:
        if low <= numbers < high:
            return fault
    return None
