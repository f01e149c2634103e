"""What a trial leaves behind, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.events.message import Message
from streams.ports.records import Position, TopicPartition
from tests.faults.history import Written
from tests.faults.timeline import Reset


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of a log. `message` None: nobody can decode it. `source` is its header's."""

    offset: int
    key: bytes | None
    crc: int
    message: Message | None
    source: Position | None = None


class Glance(NamedTuple):
    """What a live reader saw at a place."""

    offset: int
    crc: int


class Sample(NamedTuple):
    """The committed position of an input at one moment.

    `published` is what the live reader had seen before anybody asked: the offset after the last
    record of that input that is in a visible output. `end` is the end of the input as that reader
    knew it; 0 where it was not looked at.
    """

    at_s: float
    source: TopicPartition
    offset: int
    published: int = 0
    end: int = 0


class Got(NamedTuple):
    """What a client's read of a key answered: the place of the row, and the row."""

    topic: str
    key: Any
    partition: int
    offset: int
    row: Message


@dataclass(frozen=True, slots=True)
class StoreDump:
    """Everything in one store: its checkpoint's offset, and states by fold and key."""

    source: TopicPartition
    offset: int
    states: Mapping[str, Mapping[Any, Any]]


class End(NamedTuple):
    """Where a log ends: past the last committed record, and past any record."""

    committed: int
    written: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One trial. `log` was read from the start, committed records only, when all was over.

    `live` holds the sessions of the reader that ran along; `gets` the answers to one client, in
    order; `positions` the group's last ones, of all inputs. `is_orderly`: the workers were told to
    end, and did.
    """

    history: Mapping[bytes, Written]
    log: Mapping[TopicPartition, Sequence[Seen]]
    ends: Mapping[TopicPartition, End]
    positions: Mapping[TopicPartition, int]
    live: Mapping[TopicPartition, Sequence[Sequence[Glance]]] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    resets: Sequence[Reset] = ()
    stores: Sequence[StoreDump] = ()
    gets: Sequence[Got] = ()
    is_orderly: bool = True
