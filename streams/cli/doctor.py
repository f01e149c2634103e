"""`streams doctor`: whether everything around the library is as it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict

import typer

from streams.cli import checks
from streams.cli.checks import BROKER, Finding, Status
from streams.cli.known_services import known_services
from streams.cli.output import JSON_OPTION, json_line, write_line
from streams.engine.skipped import Skipped, find_skipped
from streams.errors import BrokerUnavailable, ConfigurationError, StreamsError
from streams.kafka.admin import KafkaAdmin
from streams.kafka.describe import client_versions, describe_cluster
from streams.kafka.reader import KafkaReader
from streams.settings import HomeSettings, KafkaSettings, TopicSettings, WorkerSettings
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics, service_targets
from streams.topics.diff import differences
from streams.topics.project import find_project

_TIMEOUT_S = 8.0
_SPEED_OPTION = typer.Option(
    False, "--speed", help="Also measure how fast this machine produces, consumes and folds."
)


def doctor(as_json: bool = JSON_OPTION, speed: bool = _SPEED_OPTION) -> None:
    """Check the Kafka client, the broker, its topics and this machine; say what to do.

    With --speed, 300,000 small records go through a topic made for that and deleted again.

    Exit code 0 when nothing failed (warnings are no failure), 1 when something did, 3 when Kafka
    does not answer.
    """
    counts: Counter[Status] = Counter()
    failed = set()
    for finding in _examine():
        _show(finding, as_json=as_json)
        counts[finding.status] += 1
        if finding.status is Status.FAIL:
            failed.add(finding.check)
    if speed and BROKER not in failed:
        _show_speed(as_json=as_json)
    if not as_json:
        write_line(f"{counts[Status.FAIL]} failed, {counts[Status.WARN]} warnings")
    if BROKER in failed:
        raise typer.Exit(BrokerUnavailable.exit_code)
    raise typer.Exit(StreamsError.exit_code if failed else 0)


def _examine() -> Iterator[Finding]:
    yield from checks.check_clients(client_versions())
    yield from checks.check_extras()
    yield from checks.check_home(HomeSettings().home)
    settings = KafkaSettings()
    try:
        cluster = describe_cluster(settings, timeout_s=_TIMEOUT_S)
    except StreamsError as exc:
        # One that does not answer is told with the way on already.
        advice = "" if isinstance(exc, BrokerUnavailable) else "check the KAFKA_… settings"
        yield Finding(BROKER, Status.FAIL, str(exc), advice)
        return
    yield from checks.check_cluster(cluster)
    yield from checks.check_groups(cluster, WorkerSettings())
    yield from checks.check_offsets_retention(cluster)
    yield from _examine_topics(settings)


def _examine_topics(settings: KafkaSettings) -> Iterator[Finding]:
    try:
        catalog = Catalog.find()
        declared = declared_topics(catalog, service_targets(catalog, find_project()))
    except ConfigurationError as exc:
        yield Finding("topics", Status.FAIL, str(exc), "run: streams schemas check")
        return
    found = differences(declared, KafkaAdmin(settings), TopicSettings())
    yield from checks.check_topics(len(declared), found)
    try:
        yield from checks.check_skipped(_skipped(settings, known_services(settings, catalog)))
    except StreamsError as exc:
        yield Finding(checks.SKIPPED, Status.FAIL, str(exc))


def _skipped(settings: KafkaSettings, services: Collection[str]) -> Iterator[Skipped]:
    admin, reader = KafkaAdmin(settings), KafkaReader(settings)
    try:
        for name in services:
            yield find_skipped(name, admin, reader)
    finally:
        reader.close()


def _show_speed(*, as_json: bool) -> None:
    # Imported here: what folds is not in every install.
    from streams.cli.speed import measure_speed

    for one in measure_speed(KafkaSettings()):
        if as_json:
            write_line(json_line({"check": "speed"} | asdict(one)))
        else:
            write_line(
                f"      speed     {one.step:<7} {one.records_per_s:>11,.0f} records/s: {one.limits}"
            )


def _show(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        write_line(json_line(asdict(finding)))
        return
    write_line(f"{finding.status:<4}  {finding.check:<8}  {finding.found}")
    if finding.advice:
        write_line(f"{'':<16}→ {finding.advice}")
