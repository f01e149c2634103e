"""What the cluster, its topics and the client say about themselves, for `streams doctor`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined] # no __all__

from streams.kafka import faults
from streams.kafka.address import bootstrap_servers
from streams.kafka.client import new_client
from streams.kafka.config import admin_config, logical, physical
from streams.settings import KafkaSettings

_TIMEOUT_S = 10.0

_NOT_ALLOWED: Final = frozenset(
    {KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED}
)

_SINCE_4_3 = "group.coordinator.cached.buffer.max.bytes"  # KIP-1196
_UNTIL_3_9 = "inter.broker.protocol.version"  # gone with ZooKeeper in 4.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """The brokers behind an address; `settings` is empty when we may not see them."""

    servers: str
    cluster_id: str
    brokers: int
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> str:
        """Kafka's release, as far as the names of the broker's settings give it away."""
        if not self.settings:
            return "an unknown release"
        if _UNTIL_3_9 in self.settings:
            return self.settings[_UNTIL_3_9].partition("-")[0]
        return "4.3 or newer" if _SINCE_4_3 in self.settings else "4.0 to 4.2"


@dataclass(frozen=True, slots=True)
class ClientVersions:
    """Versions of the Kafka client: the Python package, and librdkafka inside it."""

    package: str
    librdkafka: str


def client_versions() -> ClientVersions:
    """The versions in this process."""
    return ClientVersions(version("confluent-kafka"), str(confluent_kafka.libversion()[0]))


def describe_cluster(settings: KafkaSettings, *, timeout_s: float = _TIMEOUT_S) -> Cluster:
    """Ask the cluster about itself; BrokerUnavailable when it does not answer in time."""
    troubles: list[KafkaError] = []
    client = new_client(AdminClient, admin_config(settings) | {"error_cb": troubles.append})
    try:
        described = client.describe_cluster(request_timeout=timeout_s).result(timeout_s + 5)
    except KafkaException as exc:
        client.poll(0)
        cause = f" ({troubles[0].str()})" if troubles else ""
        raise faults.translated(
            faults.error_of(exc), "reach the cluster" + cause, settings
        ) from exc
    broker = ConfigResource(ConfigResource.Type.BROKER, str(described.nodes[0].id))
    found = _configs(client, [broker], settings, timeout_s)
    return Cluster(
        bootstrap_servers(settings),
        described.cluster_id,
        len(described.nodes),
        next(iter(found.values()), {}),
    )


def topic_settings(
    settings: KafkaSettings, names: Collection[str], *, timeout_s: float = _TIMEOUT_S
) -> dict[str, dict[str, str]]:
    """Settings such as `cleanup.policy` of existing topics, by logical name; {} if not allowed."""
    if not names:
        return {}
    client = new_client(AdminClient, admin_config(settings))
    resources = [
        ConfigResource(ConfigResource.Type.TOPIC, physical(settings, name)) for name in names
    ]
    found = _configs(client, resources, settings, timeout_s)
    return {logical(settings, name): values for name, values in found.items()}


def _configs(
    client: AdminClient, resources: list[ConfigResource], settings: KafkaSettings, timeout_s: float
) -> dict[str, dict[str, str]]:
    futures = client.describe_configs(resources, request_timeout=timeout_s)
    found = {}
    for resource, future in futures.items():
        try:
            entries = future.result(timeout_s + 5)
        except KafkaException as exc:
            error = faults.error_of(exc)
            if error.code() in _NOT_ALLOWED:
                continue
            raise faults.translated(error, f"read settings of {resource.name}", settings) from exc
        found[resource.name] = {
            name: entry.value
            for name, entry in entries.items()
            if entry.value is not None and not entry.is_sensitive
        }
    return found
