"""What was done with events whose bytes alone do not decide it; kept in `<service>.decisions`.

Decisions are written in the transaction that commits the offset they belong to, so recovery,
which reads them first, does again exactly what was done, whatever today's code would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from streams.clock import Deadline
from streams.errors import BrokerUnavailable, WorkerStopped
from streams.ports.log import LogAdmin, LogReader
from streams.ports.records import Outgoing, Record, TopicPartition
from streams.topics.keys import Key

PARTITION = 0
"""Decisions of a service are few and read in one order: their topic has one partition."""


class DecisionKind(StrEnum):
    """What was done."""

    QUARANTINED = "quarantined"
    PARKED = "parked"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. `at` is the input offset it belongs to, in the topic with the id `topic_id`.

    QUARANTINED: the record at `at` is folded by no fold; its bytes are in the quarantine topic.
    PARKED: from `at` on, `fold` skips the events of `key` (JSON; a list if composite). `raised_by`:
    its `handler` raised on the event at `at`; or a `result` raised on the state after the events up
    to the offset `up_to`, of which those from `at` on were not committed. `where` is `file:line`.
    In the topics of `results` the key's result is old from then on.
    """

    kind: DecisionKind
    topic: str
    topic_id: str
    partition: int
    at: int
    reason: str
    detail: str = ""
    raised_by: str = ""
    up_to: int | None = None
    where: str = ""
    results: tuple[str, ...] = ()
    fold: str = ""
    key: Any = None

    @property
    def source(self) -> TopicPartition:
        """The input partition."""
        return TopicPartition(self.topic, self.partition)

    @property
    def fold_key(self) -> Key:
        """The parked key as the fold knows it."""
        key: Key = tuple(self.key) if isinstance(self.key, list) else self.key
        return key

    def outgoing(self, topic: str) -> Outgoing:
        """The record for the decisions topic."""
        return Outgoing(topic, str(self.source).encode(), _encoder.encode(self), (), PARTITION)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Decision)


def decision_of(record: Record) -> Decision:
    """The decision in a record of a decisions topic; WorkerStopped if it is none."""
    try:
        return _decoder.decode(record.value or b"")
    except msgspec.DecodeError as exc:
        raise WorkerStopped(
            f"{record.source}: found a record that is no decision ({exc}), wanted those of workers "
            "only; if a newer version wrote it, run that version"
        ) from exc


@dataclass(slots=True)
class PartitionDecisions:
    """The decisions about one input partition."""

    quarantined: set[int] = field(default_factory=set)
    parked: dict[str, dict[Key, int]] = field(default_factory=dict)

    def copy(self) -> PartitionDecisions:
        """An own copy, to which an owner adds what it decides before that is committed."""
        parked = {fold: dict(keys) for fold, keys in self.parked.items()}
        return PartitionDecisions(set(self.quarantined), parked)

    def add(self, decision: Decision) -> None:
        """Follow one more decision."""
        if decision.kind is DecisionKind.QUARANTINED:
            self.quarantined.add(decision.at)
        else:
            self.parked.setdefault(decision.fold, {})[decision.fold_key] = decision.at


class DecisionLog:
    """The decisions topic as far as it was read. Owned by the worker's thread."""

    def __init__(self, topic: str, admin: LogAdmin, reader: LogReader) -> None:
        self._where = TopicPartition(topic, PARTITION)
        self._admin = admin
        self._reader = reader
        self._read_to = 0
        self._found: dict[tuple[TopicPartition, str], PartitionDecisions] = {}

    def of(
        self, topic_ids: Mapping[TopicPartition, str], deadline: Deadline
    ) -> dict[TopicPartition, PartitionDecisions]:
        """What was decided about each partition, including what its last owner wrote just before.

        Decisions about a topic of the same name that was deleted since are left out.

        The last owner's transaction is decided, but its marker may not yet stand in the decisions
        topic: so this waits until everything written there is committed or aborted.
        """
        end = self._admin.ends([self._where], committed=False)[self._where]
        while self._read_to < end:
            self._read(deadline)
            if self._read_to < end and deadline.is_over:
                raise BrokerUnavailable(
                    f"{self._where}: a transaction stays open before offset {end}; `streams "
                    "doctor` tells what holds it"
                )
        nothing = PartitionDecisions()
        return {one[0]: self._found.get(one, nothing).copy() for one in topic_ids.items()}

    def _read(self, deadline: Deadline) -> None:
        for record in self._reader.read({self._where: self._read_to}, deadline):
            decision = decision_of(record)
            about = (decision.source, decision.topic_id)
            self._found.setdefault(about, PartitionDecisions()).add(decision)
            self._read_to = record.offset + 1
        self._read_to = max(self._read_to, self._reader.position(self._where))
