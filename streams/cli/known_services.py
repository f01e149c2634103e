"""Names of services that this machine knows: declared ones, and those that have state here."""

from __future__ import annotations

from streams.engine.status import service_home
from streams.settings import KafkaSettings
from streams.topics.catalog import Catalog
from streams.topics.declared import service_targets
from streams.topics.project import find_project


def known_services(kafka: KafkaSettings, catalog: Catalog) -> list[str]:
    """Each once, by name; one that is run as `module:SERVICE` is known by its state alone."""
    folders = (service_home(kafka) / "state").glob("*/")
    return sorted({*service_targets(catalog, find_project()), *(one.name for one in folders)})
