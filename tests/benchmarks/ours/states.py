"""What a stopped worker keeps of each photo, read from its stores."""

from __future__ import annotations

from pathlib import Path

from streams import Service
from streams.engine.status import service_home
from streams.kafka.admin import KafkaAdmin
from streams.ports.store import Store
from streams.settings import KafkaSettings
from streams.state.codec import StateCodec
from streams.state.folder import PartitionFolder, partition_path
from tests.benchmarks.ours.jobs import Fans


def counts_in(service: Service, kafka: KafkaSettings, home: Path) -> dict[int, int]:
    """Photo → number of its fans."""
    counts: dict[int, int] = {}
    admin = KafkaAdmin(kafka)
    try:
        (topic,) = service.inputs
        partitions = admin.topics([topic])[topic].partitions
    finally:
        admin.close()
    for partition in range(partitions):
        folder = PartitionFolder(
            partition_path(service_home(kafka, home), service.name, topic, partition)
        )
        store = folder.store()
        try:
            counts |= _counts(service, store)
        finally:
            store.close()
            folder.release()
    return counts


def _counts(service: Service, store: Store) -> dict[int, int]:
    codec = StateCodec(service.folds[0].name, Fans)
    keys = list(codec.keys(store))
    states = codec.load(keys, store)
    return {key: len(state.users) for key, state in zip(keys, states, strict=True) if state}
