"""Prometheus metrics of the SDK and the workers, in the process's usual registry.

A worker serves them on `/metrics`; a program that embeds the library exposes them with its own.
Names begin with `streams_` and end with their unit. Labels have few values: services, topics,
partitions and folds, never keys.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from streams.clock import monotonic_s

_COMMIT_BUCKETS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0)
"""From a commit on the same machine to the time-out of a transaction."""

_EMIT_BUCKETS_S: Final = (
    0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0,
)  # fmt: skip
"""From a broker on the same machine to one that was away for a while."""

_PARTITION: Final = ("service", "topic", "partition")

EMITTED: Final = Counter("streams_emitted", "Events that the SDK took to send.", ("topic",))
EMIT_FAILED: Final = Counter(
    "streams_emit_failed", "Events refused by the SDK, or not acknowledged.", ("reason",)
)
EMIT_QUEUED: Final = Gauge("streams_emit_queued", "Events that wait for their acknowledgement.")
EMIT_SECONDS: Final = Histogram(
    "streams_emit_seconds",
    "Time from emit to acknowledgement; where many are acknowledged at once, of a few of them.",
    ("topic",),
    buckets=_EMIT_BUCKETS_S,
)
RECORDS: Final = Counter(
    "streams_records", "Records read, whatever became of them.", ("service", "topic")
)
EVENTS: Final = Counter("streams_events", "Events folded live.", ("service", "fold"))
RESTORED: Final = Counter(
    "streams_restored_records", "Records folded silently to restore state.", ("service",)
)
RESTORES: Final = Counter(
    "streams_restores", "Partitions whose state was brought up to date.", ("service",)
)
COMMITS: Final = Counter("streams_commits", "Transactions committed.", ("service",))
COMMIT_SECONDS: Final = Histogram(
    "streams_commit_seconds",
    "Time from the first output of a transaction to its commit.",
    ("service",),
    buckets=_COMMIT_BUCKETS_S,
)
TRANSACTIONS_FAILED: Final = Counter(
    "streams_transactions_failed",
    "Transactions that failed or whose outcome was unknown.",
    ("service",),
)
LAG_RECORDS: Final = Gauge(
    "streams_lag_records", "Records between the position and the read-committed end.", _PARTITION
)
CACHE_ENTRIES: Final = Gauge("streams_cache_entries", "States held in memory.", ("service",))
CHECKPOINT_SIZE_BYTES: Final = Gauge(
    "streams_checkpoint_size_bytes", "Size of the newest checkpoint's changes.", _PARTITION
)
CHECKPOINT_AGE_SECONDS: Final = Gauge(
    "streams_checkpoint_age_seconds", "Time since the newest checkpoint.", _PARTITION
)
QUARANTINED: Final = Counter(
    "streams_quarantined_records", "Records that could not be decoded.", ("service", "reason")
)
PARKED: Final = Counter("streams_parked_keys", "Keys whose handler raised.", ("service", "fold"))


def registry() -> CollectorRegistry:
    """Where every metric above is registered."""
    return REGISTRY


def checkpointed(service: str, topic: str, partition: int, *, size_bytes: int) -> None:
    """Note a checkpoint made at this moment."""
    at_s = monotonic_s()
    labels = (service, topic, str(partition))
    CHECKPOINT_SIZE_BYTES.labels(*labels).set(size_bytes)
    CHECKPOINT_AGE_SECONDS.labels(*labels).set_function(lambda: monotonic_s() - at_s)


def released(service: str, topic: str, partition: int) -> None:
    """Forget a partition that this worker no longer owns."""
    for gauge in (LAG_RECORDS, CHECKPOINT_SIZE_BYTES, CHECKPOINT_AGE_SECONDS):
        gauge.remove(service, topic, str(partition))
