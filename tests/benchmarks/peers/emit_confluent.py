# /// script
# requires-python = ">=3.11"
# dependencies = ["confluent-kafka[avro,schemaregistry]==2.16.0"]
# ///
"""confluent-kafka 2.16.0 with its AvroSerializer, as its documentation sets it up: the job `emit`.

`events` typed events become records that all replicas acknowledged. They are made before `start`,
as many as `pool` and then again from the first. The registry is a stand-in in memory that knows our
schema ids. Producer settings are those of our client, so that only the way to the producer differs:
idempotence, `acks=all`, lz4, batches of a megabyte, 100,000 records in the queue.

Settings: `pool` (100000), `linger_ms` (5), `poll_every` (1, as in the documentation's examples:
records between two looks for delivery reports).
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.schema_registry import (
    RegisteredSchema,
    Schema,
    SchemaRegistryClient,
    topic_record_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, StringSerializer
from job import Job, ended, started

SEED = 1
PHOTOS = 5_000
USERS = 100_000
UNLIKED = 0.1
FULL_QUEUE_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class PhotoLiked:
    """A user liked a photo."""

    event_id: bytes
    occurred_at: int
    user_id: int
    photo_id: int
    owner_id: int


@dataclass(frozen=True, slots=True)
class PhotoUnliked:
    """A user took a like back."""

    event_id: bytes
    occurred_at: int
    user_id: int
    photo_id: int
    owner_id: int


class KnownSchemas(SchemaRegistryClient):
    """A registry in memory: it gives the job's schemas their ids, and is asked nothing else.

    A serializer asks once a schema, so a real registry would cost the same.
    """

    def __init__(self, schemas: dict[str, dict]) -> None:
        super().__init__({"url": "http://never.invalid"})
        self._ids = {_canonical(schema): int(known) for known, schema in schemas.items()}

    def register_schema_full_response(
        self, subject_name: str, schema: Schema, normalize_schemas: bool = False
    ) -> RegisteredSchema:
        return RegisteredSchema(
            schema_id=self._ids[_canonical(json.loads(schema.schema_str))],
            guid=None,
            schema=schema,
            subject=subject_name,
            version=1,
        )


class Program:
    """Produces until every record is acknowledged."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._acknowledged = 0
        self._failure: KafkaError | None = None
        self._key = StringSerializer()
        self._context = SerializationContext(job.into, MessageField.VALUE)
        self._serializers = {kind: _serializer(job, kind) for kind in (PhotoLiked, PhotoUnliked)}
        self._producer = Producer(_config(job))

    def run(self) -> None:
        pool = list(_events(min(self._job.events, self._job.settings["pool"])))
        poll_every = self._job.settings["poll_every"]
        started()
        for number, event in enumerate(islice(cycle(pool), self._job.events), start=1):
            self._produce(event)
            if number % poll_every == 0:
                self._producer.poll(0)
        self._producer.flush()
        if self._acknowledged != self._job.events:
            raise SystemExit(f"{self._acknowledged} records acknowledged, else {self._failure}")
        ended(outputs=self._acknowledged)

    def _produce(self, event: PhotoLiked | PhotoUnliked) -> None:
        value = self._serializers[type(event)](event, self._context)
        key = self._key(str(event.photo_id))
        while True:
            try:
                self._producer.produce(
                    topic=self._job.into, key=key, value=value, on_delivery=self._delivered
                )
                break
            except BufferError:
                self._producer.poll(FULL_QUEUE_WAIT_S)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self._acknowledged += 1
        else:
            self._failure = error


def _serializer(job: Job, kind: type) -> AvroSerializer:
    (schema,) = (one for one in job.schemas.values() if one["name"].endswith(f".{kind.__name__}"))
    return AvroSerializer(
        KnownSchemas(job.schemas),
        json.dumps(schema),
        _to_dict,
        {"subject.name.strategy": topic_record_subject_name_strategy},
    )


def _to_dict(event: PhotoLiked | PhotoUnliked, _context: SerializationContext) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "occurred_at": event.occurred_at,
        "user_id": event.user_id,
        "photo_id": event.photo_id,
        "owner_id": event.owner_id,
    }


def _events(count: int) -> Iterator[PhotoLiked | PhotoUnliked]:
    """Likes with a tenth of unlikes on Zipf-like photos, as everywhere in these benchmarks."""
    chance = random.Random(SEED)
    for at in range(count):
        photo_id = int(chance.paretovariate(1.1)) % PHOTOS
        kind = PhotoUnliked if chance.random() < UNLIKED else PhotoLiked
        occurred_at = 1_700_000_000_000_000 + at
        user_id = chance.randrange(USERS)
        yield kind(os.urandom(16), occurred_at, user_id, photo_id, photo_id % 1_000)


def _canonical(schema: dict) -> str:
    return json.dumps(schema, sort_keys=True)


def _config(job: Job) -> dict[str, Any]:
    return {
        "bootstrap.servers": job.bootstrap,
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": job.settings["linger_ms"],
        "batch.size": 1_000_000,
        "queue.buffering.max.messages": 100_000,
        "queue.buffering.max.kbytes": 262_144,
    }


if __name__ == "__main__":
    settings = {"pool": 100_000, "linger_ms": 5, "poll_every": 1}
    Program(Job.from_command_line("emit", settings=settings)).run()
