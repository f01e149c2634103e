"""Client settings common to every producer, consumer and admin client, and the namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.errors import ConfigurationError
from streams.kafka.address import bootstrap_servers
from streams.settings import KafkaSettings

INSTEAD: Mapping[str, str] = {
    "bootstrap.servers": "KAFKA_BOOTSTRAP_SERVERS",
    "delivery.timeout.ms": "STREAMS_EMIT_DELIVERY_TIMEOUT_S",
    "group.id": "STREAMS_NAMESPACE",
    "group.protocol": "STREAMS_GROUP_PROTOCOL",
    "heartbeat.interval.ms": "STREAMS_SESSION_TIMEOUT_S",
    "message.max.bytes": "STREAMS_EMIT_MAX_RECORD_BYTES",
    "message.timeout.ms": "STREAMS_EMIT_DELIVERY_TIMEOUT_S",
    "metadata.broker.list": "KAFKA_BOOTSTRAP_SERVERS",
    "queue.buffering.max.messages": "STREAMS_EMIT_MAX_QUEUED",
    "queued.max.messages.kbytes": "STREAMS_PREFETCH_KBYTES",
    "session.timeout.ms": "STREAMS_SESSION_TIMEOUT_S",
    "socket.timeout.ms": "STREAMS_TRANSACTION_TIMEOUT_S",
    "transaction.timeout.ms": "STREAMS_TRANSACTION_TIMEOUT_S",
    "transactional.id": "STREAMS_NAMESPACE",
}
"""Client options that are refused, each with the setting that stands for it."""

REFUSED = frozenset(INSTEAD) | frozenset(
    {
        "acks", "auto.commit.enable", "auto.offset.reset", "check.crcs", "default.topic.config",
        "delivery.report.only.error", "enable.auto.commit", "enable.auto.offset.store",
        "enable.idempotence", "enable.partition.eof", "error_cb", "fetch.queue.backoff.ms",
        "group.instance.id", "group.remote.assignor", "isolation.level", "log.connection.close",
        "logger", "max.in.flight", "max.in.flight.requests.per.connection", "max.poll.interval.ms",
        "message.send.max.retries", "partition.assignment.strategy", "partitioner",
        "queuing.strategy", "request.required.acks", "retries",
    }
)  # fmt: skip
"""Every option that some client sets itself: a change breaks exactly-once, order per key, or the
fast path. All others of librdkafka may be set."""


READING: Mapping[str, Any] = {
    "auto.offset.reset": "error",  # any other value skips or repeats records in silence
    "check.crcs": True,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "fetch.queue.backoff.ms": 5,  # 1,000 unless set: ten times slower whenever the queue was full
}
"""What every client that reads has, whatever else it is made for."""


def base_config(settings: KafkaSettings) -> dict[str, Any]:
    """Addresses, security and the user's own options, for any client."""
    config: dict[str, Any] = {
        "bootstrap.servers": bootstrap_servers(settings),
        "security.protocol": settings.security_protocol,
        "client.id": "millrace",
        "log_level": 2,  # raw lines on standard error; `error_cb` says the same in our form
        "reconnect.backoff.max.ms": 2_000,
        "socket.keepalive.enable": True,
        # A connection that a firewall forgot is given up after this, not after 60 s. No less: an
        # answer of 50 MB must get through within it.
        "socket.timeout.ms": 20_000,
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


def admin_config(settings: KafkaSettings) -> dict[str, Any]:
    """The same for a client that asks brokers by their number, as the admin client does.

    While a broker is down, each question meant for it has the client dial it again without a pause
    (librdkafka 2.16.0): both threads take a processor, and the brokers beside it get none. A client
    that keeps a connection to every broker dials with its usual pauses.
    """
    return {"enable.sparse.connections": False} | base_config(settings)


def checked_options(settings: KafkaSettings) -> dict[str, str]:
    """The user's extra options; ConfigurationError for one that the library owns."""
    options = settings.options()
    for name in options:
        if name in REFUSED:
            way_on = f"; set {INSTEAD[name]} instead" if name in INSTEAD else ""
            raise ConfigurationError(
                f"found {name} in KAFKA_CLIENT_OPTIONS, wanted it absent: the library sets it "
                f"itself, because exactly-once, order or speed depends on it{way_on}"
            )
    return options


def physical(settings: KafkaSettings, name: str) -> str:
    """The name of a topic, group or transactional id on the broker."""
    return settings.namespace + name


def logical(settings: KafkaSettings, name: str) -> str:
    """The name without the namespace."""
    return name.removeprefix(settings.namespace)
