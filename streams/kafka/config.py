"""Client settings common to every producer, consumer and admin client, and the namespace."""

from __future__ import annotations

from typing import Any

from streams.errors import ConfigurationError
from streams.settings import DEFAULT_BOOTSTRAP_SERVERS, HomeSettings, KafkaSettings

# What some client sets itself: a change breaks exactly-once, order per key, or the fast path.
_OWNED = frozenset(
    {
        "acks", "auto.offset.reset", "check.crcs", "enable.auto.commit", "enable.auto.offset.store",
        "enable.idempotence", "enable.partition.eof", "group.id", "group.instance.id",
        "group.protocol", "isolation.level", "max.in.flight", "bootstrap.servers",
        "max.in.flight.requests.per.connection", "partition.assignment.strategy", "partitioner",
        "message.send.max.retries", "request.required.acks", "retries", "transactional.id",
        "delivery.report.only.error", "queuing.strategy", "auto.commit.enable",
        "default.topic.config", "delivery.timeout.ms", "error_cb", "fetch.queue.backoff.ms",
        "group.remote.assignor", "heartbeat.interval.ms", "logger", "max.poll.interval.ms",
        "message.max.bytes", "message.timeout.ms", "metadata.broker.list",
        "queue.buffering.max.messages", "queued.max.messages.kbytes", "session.timeout.ms",
        "socket.timeout.ms", "transaction.timeout.ms",
    }
)  # fmt: skip


def base_config(settings: KafkaSettings) -> dict[str, Any]:
    """Addresses, security and the user's own options, for any client."""
    config: dict[str, Any] = {
        "bootstrap.servers": bootstrap_servers(settings),
        "security.protocol": settings.security_protocol,
        "client.id": "millrace",
        "log_level": 2,  # raw lines on standard error; `error_cb` says the same in our form
        "reconnect.backoff.max.ms": 2_000,
        "socket.keepalive.enable": True,
    }
    secure = {
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.password(),
        "ssl.ca.location": settings.ssl_ca_location,
        "ssl.certificate.location": settings.ssl_certificate_location,
        "ssl.key.location": settings.ssl_key_location,
        "ssl.key.password": settings.key_password(),
    }
    config.update({name: value for name, value in secure.items() if value})
    config.update(checked_options(settings))
    return config


def checked_options(settings: KafkaSettings) -> dict[str, str]:
    """The user's extra options; ConfigurationError for one that the library owns."""
    options = settings.options()
    for name in options:
        if name in _OWNED:
            raise ConfigurationError(
                f"found {name} in KAFKA_CLIENT_OPTIONS, wanted it absent: the library sets it "
                "itself, because exactly-once, order or speed depends on it"
            )
    return options


def bootstrap_servers(settings: KafkaSettings) -> str:
    """The configured brokers, else the local Kafka of STREAMS_HOME, else the default address."""
    if settings.bootstrap_servers:
        return settings.bootstrap_servers
    address = HomeSettings().home / "kafka" / "address"
    if address.is_file():
        return address.read_text(encoding="utf-8").strip()
    return DEFAULT_BOOTSTRAP_SERVERS


def physical(settings: KafkaSettings, name: str) -> str:
    """The name of a topic, group or transactional id on the broker."""
    return settings.namespace + name


def logical(settings: KafkaSettings, name: str) -> str:
    """The name without the namespace."""
    return name.removeprefix(settings.namespace)
