"""The events every system gets, the answer each job must give, and the topic they lie on."""

from __future__ import annotations

import os
import random
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from confluent_kafka import Producer
from pyroaring import BitMap64

from schemas.social import PhotoLiked, PhotoUnliked
from streams import Catalog
from streams.kafka.admin import KafkaAdmin
from streams.kafka.config import base_config, physical
from streams.settings import KafkaSettings, TopicSettings
from streams.topics.apply import apply_topics
from streams.topics.declared import declared_topics

TOPIC = "social.photos"

Shape = Literal["zipf", "uniform", "half", "fans", "keys"]
Event = PhotoLiked | PhotoUnliked

_SEED = 1
_UNLIKED = 0.1
_HOT = 1
_STRIDE = 7_919  # a prime: every photo once, none beside its neighbour
_FIRST_US = 1_700_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Likes with a tenth of unlikes, interleaved, by a tenth as many users as events.

    `zipf`: one of 5,000 photos gets two fifths of all events, as popular photos do. `uniform`:
    all photos alike. `half`: one photo gets half, the others the rest. `fans`: the same, but that
    photo gets `before` likes of as many users first. `keys`: each event has a photo of its own.
    """

    count: int
    shape: Shape = "zipf"
    photos: int = 5_000
    before: int = 0

    @property
    def name(self) -> str:
        """Tells this workload from the others in a topic's name."""
        return f"{self.shape}-{self.count}"

    @property
    def total(self) -> int:
        """Events on the topic."""
        return self.before + self.count

    def events(self) -> Iterator[Event]:
        """The same ones each time, but for their ids, which nobody counts."""
        chance = random.Random(_SEED)
        users, ids = max(1, self.count // 10), _event_ids()
        for user_id in range(self.before):
            yield PhotoLiked(user_id, _HOT, _HOT, event_id=next(ids), occurred_at=_FIRST_US)
        for at in range(self.count):
            photo_id = self._photo(chance, at)
            kind = PhotoUnliked if chance.random() < _UNLIKED else PhotoLiked
            yield kind(
                user_id=chance.randrange(users),
                photo_id=photo_id,
                owner_id=photo_id % 1_000,
                event_id=next(ids),
                occurred_at=_FIRST_US + at,
            )

    def _photo(self, chance: random.Random, at: int) -> int:
        match self.shape:
            case "zipf":
                return int(chance.paretovariate(1.1)) % self.photos
            case "uniform":
                return chance.randrange(self.photos)
            case "half" | "fans":
                return _HOT if chance.random() < 0.5 else chance.randrange(self.photos)
            case "keys":
                return at * _STRIDE % self.count


@dataclass(frozen=True, slots=True)
class Answers:
    """What each job must have said of each photo at the end."""

    members: dict[int, int]
    count: dict[int, int]


@dataclass(slots=True)
class _Recount:
    """Counts with sets while the events go by; nothing of the folds."""

    likers: dict[int, BitMap64] = field(default_factory=dict)
    events: Counter[int] = field(default_factory=Counter)

    def see(self, event: Event) -> None:
        """Count one event."""
        likers = self.likers.get(event.photo_id)
        if likers is None:
            likers = self.likers[event.photo_id] = BitMap64()
        if isinstance(event, PhotoLiked):
            likers.add(event.user_id)
        else:
            likers.discard(event.user_id)
        self.events[event.photo_id] += 1

    def answers(self) -> Answers:
        """What was counted so far."""
        members = {photo_id: len(likers) for photo_id, likers in self.likers.items()}
        return Answers(members, dict(self.events))


def make_topics(kafka: KafkaSettings) -> Catalog:
    """Make every topic of our catalog in this namespace."""
    catalog, admin = Catalog.find(), KafkaAdmin(kafka)
    try:
        apply_topics(declared_topics(catalog, []), admin, TopicSettings(), folded={TOPIC})
    finally:
        admin.close()
    return catalog


def fill(kafka: KafkaSettings, workload: Workload) -> Answers:
    """Make the topics of this namespace, produce the events; returns what is to be found."""
    catalog = make_topics(kafka)
    encode = {kind: catalog.encoder(kind).encode for kind in (PhotoLiked, PhotoUnliked)}
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
    topic, recount = physical(kafka, TOPIC), _Recount()
    for event in workload.events():
        recount.see(event)
        value, key = encode[type(event)](event), b"%d" % event.photo_id
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.05)
    left = producer.flush(60)
    if left:
        raise RuntimeError(f"{left} events were not acknowledged within a minute")
    return recount.answers()


def _event_ids() -> Iterator[bytes]:
    """Sixteen bytes each, no two alike."""
    run = os.urandom(8)
    number = 0
    while True:
        yield run + struct.pack(">Q", number)
        number += 1
