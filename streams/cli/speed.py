"""What `streams doctor --speed` measures: how fast this machine produces, consumes and folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from streams.avro.codec import Codec
from streams.avro.lock import LockFile
from streams.avro.records import RecordEncoder
from streams.clock import monotonic_s
from streams.engine.loop import CollectorOff
from streams.events.message import Message
from streams.kafka.speed import SpeedTopic
from streams.settings import KafkaSettings
from streams.state.members import Members

RECORDS = 300_000
_THINGS = 1_000
_SUBJECT = "speed-streams.Probed"
_SCHEMA = {
    "type": "record",
    "name": "Probed",
    "namespace": "streams",
    "fields": [
        {"name": "user_id", "type": "long"},
        {"name": "thing_id", "type": "long"},
        {"name": "probed_at", "type": "long"},
    ],
}


@dataclass(frozen=True, slots=True)
class Speed:
    """One rate. `limits` says what it is a limit of."""

    step: str
    records_per_s: float
    limits: str


class Probed(Message, frozen=True, gc=False):
    """An event of the size of a like."""

    avro_name = "streams.Probed"

    user_id: int
    thing_id: int
    probed_at: int


class _Users(msgspec.Struct):
    """Who probed one thing."""

    users: Members = msgspec.field(default_factory=Members)

    def take(self, event: Probed) -> None:
        self.users.add(event.user_id)


def measure_speed(settings: KafkaSettings) -> Iterator[Speed]:
    """One rate after the other, each as soon as it is known; the topic it needs is deleted."""
    lock = LockFile().with_version(_SUBJECT, _SCHEMA)
    (version,) = lock.subjects[_SUBJECT]
    encode = RecordEncoder(Probed, _SCHEMA, version.id).encode
    with SpeedTopic(settings) as topic:
        values = [
            encode(Probed(user_id=at, thing_id=at % _THINGS, probed_at=at)) for at in range(RECORDS)
        ]
        produced_s = topic.produce(values)
        yield Speed("produce", RECORDS / produced_s, "what one emitting process can send")
        consumed_s, batches = topic.consume(RECORDS)
        yield Speed("consume", RECORDS / consumed_s, "what one worker could read, doing nothing")
    folded_s = _fold(Codec(lock, {"streams.Probed": Probed}), batches)
    yield Speed("fold", RECORDS / folded_s, "decode and a handler call each, without the cluster")


def _fold(codec: Codec, batches: Sequence[Sequence[bytes]]) -> float:
    """Seconds to decode everything and to count the users of each thing."""
    states = {thing_id: _Users() for thing_id in range(_THINGS)}
    with CollectorOff():
        started_s = monotonic_s()
        for batch in batches:
            for event in codec.decode_many(batch):
                assert isinstance(event, Probed)  # noqa: S101 our own values
                states[event.thing_id].take(event)
        return monotonic_s() - started_s
