"""What a system wrote: the last committed result of each photo, read as any consumer would."""

from __future__ import annotations

import io
from collections.abc import Mapping

import fastavro

from schemas.demo import LikesCounted
from streams import Catalog
from streams.avro.framing import FRAME_BYTES
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings


def ends(kafka: KafkaSettings, topic: str, partitions: int) -> dict[TopicPartition, int]:
    """Where the next result of each partition will stand."""
    admin = KafkaAdmin(kafka)
    try:
        return dict(admin.ends([TopicPartition(topic, at) for at in range(partitions)]))
    finally:
        admin.close()


def counts(kafka: KafkaSettings, starts: Mapping[TopicPartition, int]) -> dict[int, int]:
    """Photo → count, of the results written since `starts`."""
    schema = fastavro.parse_schema(Catalog.find().schema(LikesCounted))
    reader = KafkaReader(kafka)
    found = {}
    try:
        for record in reader.read(starts):
            assert record.value is not None
            body = io.BytesIO(record.value[FRAME_BYTES:])
            result = fastavro.schemaless_reader(body, schema, None)
            found[result["photo_id"]] = result["likes"]
    finally:
        reader.close()
    return found


def wrong(expected: Mapping[int, int], found: Mapping[int, int]) -> int:
    """How many photos have another count; one never written counts as 0."""
    photos = expected.keys() | found.keys()
    return sum(expected.get(one, 0) != found.get(one, 0) for one in photos)
