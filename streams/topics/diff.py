"""How the cluster's topics differ from the declared ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Protocol

from streams.ports.log import TopicInfo
from streams.settings import TopicSettings
from streams.topics.topic import Kind, Topic

_MS = 1_000
SYSTEM_MAX_BYTES = 4_194_304
"""Largest record of a system topic: a quarantined one with its headers."""


class TopicAdmin(Protocol):
    """What comparing and making topics asks of a cluster; all names are logical."""

    def names(self) -> list[str]:
        """Every topic of the name space, without Kafka's own."""

    def topics(self, names: Collection[str]) -> Mapping[str, TopicInfo]:
        """The named topics that exist."""

    def topic_configs(self, names: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """The settings of existing topics; nothing for those we may not see."""

    def create_topic(
        self, name: str, partitions: int, config: Mapping[str, str], *, replication: int
    ) -> None:
        """Make a topic."""

    def set_topic_config(self, name: str, config: Mapping[str, str]) -> None:
        """Change some settings of a topic, leaving the others."""


class Change(StrEnum):
    """What would have to happen to a topic."""

    CREATE = "create"
    CONFIGURE = "configure"
    REPARTITION = "repartition"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True)
class Difference:
    """One topic's difference. `found` and `wanted` are texts for people and scripts.

    `config` holds the settings to make or change. Only `CREATE` and `CONFIGURE` are ever applied.
    """

    topic: str
    change: Change
    _: KW_ONLY
    found: str
    wanted: str
    config: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.change:<11}  {self.topic}: found {self.found}, wanted {self.wanted}"


def wanted_config(topic: Topic, settings: TopicSettings) -> dict[str, str]:
    """The broker's settings that make a topic what it is declared to be."""
    config = {"cleanup.policy": "compact" if topic.is_compacted else "delete"}
    if not topic.is_compacted:
        retention = topic.retention
        config["retention.ms"] = (
            "-1" if retention is None else str(int(retention.total_seconds()) * _MS)
        )
        config["retention.bytes"] = "-1"
    if topic.kind is Kind.SYSTEM:
        config["max.message.bytes"] = str(SYSTEM_MAX_BYTES)
    if settings.min_insync_replicas > 0:
        config["min.insync.replicas"] = str(settings.min_insync_replicas)
    return config


def differences(
    declared: Mapping[str, Topic], admin: TopicAdmin, settings: TopicSettings
) -> list[Difference]:
    """Everything that differs: missing topics first, undeclared ones last."""
    existing = admin.topics(declared)
    configs = admin.topic_configs(existing)
    missing = [
        Difference(
            topic.name,
            Change.CREATE,
            found="none",
            wanted=_shown({"partitions": str(topic.partitions), **wanted_config(topic, settings)}),
            config=wanted_config(topic, settings),
        )
        for topic in declared.values()
        if topic.name not in existing
    ]
    changed = [
        difference
        for name, info in existing.items()
        for difference in _changes(declared[name], info, configs.get(name), settings)
    ]
    undeclared = [
        Difference(name, Change.UNDECLARED, found="a topic", wanted="none, or a declaration")
        for name in admin.names()
        if name not in declared
    ]
    return missing + changed + undeclared


def _changes(
    topic: Topic, info: TopicInfo, config: Mapping[str, str] | None, settings: TopicSettings
) -> list[Difference]:
    found = []
    if info.partitions != topic.partitions:
        has, wants = f"{info.partitions} partitions", f"{topic.partitions}"
        found.append(Difference(topic.name, Change.REPARTITION, found=has, wanted=wants))
    wanted = wanted_config(topic, settings)
    wrong = {
        name: value
        for name, value in wanted.items()
        if config is not None and config.get(name) != value
    }
    if config is not None and wrong:
        now = _shown({name: config.get(name, "unset") for name in wrong})
        wants = _shown(wrong)
        found.append(
            Difference(topic.name, Change.CONFIGURE, found=now, wanted=wants, config=wrong)
        )
    return found


def _shown(config: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in config.items())
