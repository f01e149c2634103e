"""Every topic that should exist: the catalog's, and the two system topics of each service."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from streams.topics.catalog import BUILT_IN, Catalog
from streams.topics.project import SERVICES_GROUP, Project
from streams.topics.topic import Kind, Topic

_OWN_PACKAGE = "services"


def quarantine_topic(service: str) -> Topic:
    """Where a service puts records that it cannot decode; one partition, kept for ever."""
    return Topic(name=f"{service}.quarantine", kind=Kind.SYSTEM, partitions=1)


def decisions_topic(service: str) -> Topic:
    """Where a service writes what it did with an event; one partition, kept for ever."""
    return Topic(name=f"{service}.decisions", kind=Kind.SYSTEM, partitions=1)


def declared_topics(catalog: Catalog, services: Iterable[str]) -> dict[str, Topic]:
    """All topics by name: what `topics.toml` declares, then those of `services`."""
    system = [
        topic
        for service in sorted(services)
        for topic in (quarantine_topic(service), decisions_topic(service))
    ]
    return {**catalog.topics, **{topic.name: topic for topic in system}}


def service_targets(catalog: Catalog, project: Project | None) -> dict[str, str]:
    """Where each known service is (`module:attribute`): installed ones, then the project's own.

    The library's own services work on the built-in catalog; with another one they are left out.
    """
    installed = {
        point.name: point.value
        for point in entry_points(group=SERVICES_GROUP)
        if catalog.package == BUILT_IN or point.module.partition(".")[0] != _OWN_PACKAGE
    }
    return {**installed, **(project.services if project else {})}
