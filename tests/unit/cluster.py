"""A cluster that has topics and settings and nothing else, for tests of comparing and making."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Found:
    """A topic as the cluster has it."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)
    replication: int = -1
    topic_id: str = ""


class Cluster:
    """Implements the `TopicAdmin` protocol."""

    def __init__(self, *found: Found, hides_configs: bool = False) -> None:
        self.found = {one.name: one for one in found}
        self.hides_configs = hides_configs

    def names(self):
        return sorted(self.found)

    def topics(self, names):
        return {name: self.found[name] for name in names if name in self.found}

    def topic_configs(self, names):
        return {} if self.hides_configs else {name: self.found[name].config for name in names}

    def create_topic(self, name, partitions, config, *, replication):
        self.found[name] = Found(name, partitions, dict(config), replication)

    def set_topic_config(self, name, config):
        self.found[name].config.update(config)
