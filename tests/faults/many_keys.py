"""More keys than the cache holds, some of them met again long after they were forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from schemas.demo import LikesCounted
from schemas.social import PhotoLiked
from streams import Catalog
from streams.avro.codec import Codec
from streams.engine.status import service_home
from streams.kafka.admin import KafkaAdmin
from streams.kafka.config import base_config, physical
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from streams.ports.store import Store
from streams.settings import KafkaSettings, TopicSettings
from streams.state.codec import StateCodec
from streams.state.folder import PartitionFolder, partition_path
from streams.topics.apply import apply_topics
from streams.topics.declared import declared_topics
from tests.benchmarks.ours.jobs import Fans, members

SERVICE = members("many")
EVENTS = "social.photos"
RESULTS = "demo.counts"
PARTITIONS = 4

_AGAIN = 4
_STRIDE = 7_919  # a prime: every photo once, none beside its neighbour
_FIRST_US = 1_700_000_000_000_000
_SLICE = 20_000


@dataclass(frozen=True, slots=True)
class ManyKeys:
    """`keys` photos with a like each. After every fourth, one from half-way back gets another."""

    keys: int

    @property
    def events(self) -> int:
        """Likes on the topic."""
        return self.keys + self.keys // _AGAIN

    def likes(self) -> bytearray:
        """Of each photo, what must be counted in the end."""
        counts = bytearray(self.keys)
        for _, photo_id in self.pairs():
            counts[photo_id] += 1
        return counts

    def pairs(self) -> Iterator[tuple[int, int]]:
        """User and photo of each like."""
        for at in range(self.keys):
            yield 1, self._photo(at)
            if at % _AGAIN == _AGAIN - 1:
                yield 2, self._photo(at // 2)

    def _photo(self, at: int) -> int:
        return at * _STRIDE % self.keys


def make_topics(kafka: KafkaSettings) -> None:
    """Every topic of the service."""
    admin = KafkaAdmin(kafka)
    try:
        declared = declared_topics(Catalog.find(), [SERVICE.name])
        apply_topics(declared, admin, TopicSettings(), folded={EVENTS})
    finally:
        admin.close()


def fill(kafka: KafkaSettings, workload: ManyKeys) -> None:
    """Put the likes on their topic."""
    encode = Catalog.find().encoder(PhotoLiked).encode
    producer = Producer(
        base_config(kafka)
        | {
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 1_000_000,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
        }
    )
    topic = physical(kafka, EVENTS)
    for at, (user_id, photo_id) in enumerate(workload.pairs()):
        like = PhotoLiked(
            user_id=user_id,
            photo_id=photo_id,
            owner_id=1,
            event_id=at.to_bytes(16, "big"),
            occurred_at=_FIRST_US + at,
        )
        _produce(producer, topic, encode(like), b"%d" % photo_id)
    assert 0 == producer.flush(60)


def published(kafka: KafkaSettings, keys: int) -> bytearray:
    """Of each photo, the last committed result."""
    codec = Codec(Catalog.find().registry, {LikesCounted.avro_name: LikesCounted})
    counts, reader = bytearray(keys), KafkaReader(kafka)
    try:
        records = reader.read({TopicPartition(RESULTS, at): 0 for at in range(PARTITIONS)})
        for some in _slices(records):
            for result in codec.decode_many([record.value for record in some]):
                counts[result.photo_id] = result.likes
    finally:
        reader.close()
    return counts


def stored(kafka: KafkaSettings, home: Path, keys: int) -> bytearray:
    """Of each photo, how many fans a stopped worker's stores hold."""
    counts = bytearray(keys)
    for partition in range(PARTITIONS):
        folder = PartitionFolder(
            partition_path(service_home(kafka, home), SERVICE.name, EVENTS, partition)
        )
        store = folder.store()
        try:
            _count_fans(store, counts)
        finally:
            store.close()
            folder.release()
    return counts


def _count_fans(store: Store, counts: bytearray) -> None:
    codec = StateCodec(SERVICE.folds[0].name, Fans)
    for photo_ids in _slices(codec.keys(store)):
        for photo_id, fans in zip(photo_ids, codec.load(photo_ids, store), strict=True):
            counts[photo_id] += len(fans.users)


def _produce(producer: Producer, topic: str, value: bytes, key: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:
            producer.poll(0.05)
        else:
            return


def _slices(found: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(found)
    while some := list(islice(rest, _SLICE)):
        yield some
