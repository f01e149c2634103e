"""Which records of a partition are folded: decoding, quarantine, and what was decided before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from types import NoneType
from typing import Any, NamedTuple

from streams.avro.codec import Codec
from streams.engine.decisions import Decision, DecisionKind, PartitionDecisions
from streams.engine.fold_partition import Selection
from streams.engine.quarantine import quarantine
from streams.errors import FoldChanged, Undecodable
from streams.events.message import Message
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.records import Batch, Outgoing, Record
from streams.topics.keys import Key
from streams.topics.route import Route

_NO_VALUE = ("no value", "found a null payload")
_STRAY = "wrong partition"


class Admission:
    """Decodes batches and refuses what must not be folded. Owned by the worker's thread.

    What it has to write (quarantined bytes, decisions) is owed until it is committed: it survives
    a reopening of the partition, because the records are not refused a second time.
    """

    def __init__(
        self, service: Service, codec: Codec, topic_id: str, decisions: PartitionDecisions
    ) -> None:
        self._service = service
        self._codec = codec
        self._topic_id = topic_id
        self._decisions = decisions
        self._owed: list[_Owed] = []
        self._routes: dict[type, Route] = {}
        self._reasons: list[str] = []

    def decode(self, batch: Batch, first: int, end: int, *, is_silent: bool) -> list[Any]:
        """One event, or None where nothing is to be folded, for each record in [first, end)."""
        values = self._without_quarantined(batch.values[first:end], batch.offsets[first:end])
        events: list[Any] = self._codec.decode_many(values)
        types = set(map(type, events))
        if Undecodable in types:
            for at, found in enumerate(events):
                if isinstance(found, Undecodable):
                    record = batch.record(first + at)
                    self.refuse(record, found.reason, found.detail, is_silent=is_silent)
                    events[at] = None
        if NoneType in types and None in values:
            for at in [at for at, value in enumerate(values) if value is None]:
                record = batch.record(first + at)
                self.refuse(record, *_NO_VALUE, is_silent=is_silent)
        return events

    def readmitted(self, record: Record) -> Message | None:
        """The event of a record that was quarantined; None for a type that nobody handles.

        Undecodable tells what is still wrong with it.
        """
        if record.value is None:
            raise Undecodable(*_NO_VALUE)
        found = self._codec.decode_many([record.value])[0]
        if isinstance(found, Undecodable):
            raise found
        return found

    def check_home(self, event: Message, record: Record) -> None:
        """Undecodable for a record that does not belong where it stands."""
        why = check_home(self._route(type(event)), event, record)
        if why:
            raise Undecodable(_STRAY, why)

    def find_strays(
        self, selection: Selection, new: Collection[Key], batch: Batch, *, is_silent: bool
    ) -> bool:
        """Whether a record would make a state where its key does not belong; such are refused."""
        unseen = set(new)
        found = False
        for at in [at for at, key in enumerate(selection.keys) if key in unseen]:
            key, event = selection.keys[at], selection.events[at]
            if key not in unseen:
                continue
            record = batch.record(bisect_left(batch.offsets, selection.offsets[at]))
            why = check_home(self._route(type(event)), event, record)
            if why:
                self.refuse(record, _STRAY, why, is_silent=is_silent)
                found = True
            else:
                unseen.discard(key)
        return found

    def refuse(self, record: Record, reason: str, detail: str, *, is_silent: bool) -> None:
        """Quarantine a record, once; FoldChanged if it was folded before and cannot be now."""
        if record.offset in self._decisions.quarantined:
            return
        if is_silent:
            raise self.changed(record.source, Undecodable(reason, detail))
        outgoing, decision = quarantine(
            self._service.name, self._topic_id, record, reason=reason, detail=detail
        )
        self._owed.append(_Owed(record.offset, outgoing))
        self.owe(decision)
        self._decisions.add(decision)
        self._reasons.append(reason)
        get_logger().warning(
            "record quarantined",
            action="quarantined",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
        )

    def changed(self, source: str, found: Undecodable) -> FoldChanged:
        """The error about a record that was folded before and cannot be now."""
        return FoldChanged(
            f"{source}: found {found.reason} ({found.detail}) in a record that was folded before; "
            "a schema left lock.json or a fold's key changed: bring it back, or "
            f"{self._service.way_back(source.split('/')[0])}"
        )

    def owe(self, decision: Decision) -> None:
        """Write a decision in the transaction that commits its offset.

        A key that is parked earlier than it was, before that was written, is parked there only:
        readers follow the last decision about it (`tests/unit/test_engine_parking.py`).
        """
        parks = None
        if decision.kind is DecisionKind.PARKED:
            parks = (decision.fold, decision.fold_key)
            self._owed = [one for one in self._owed if one.parks != parks]
        outgoing = decision.outgoing(self._service.decisions)
        self._owed.append(_Owed(decision.at, outgoing, parks))

    def owed(self, end: int) -> list[Outgoing]:
        """What to write with a commit up to `end`."""
        return [one.outgoing for one in self._owed if one.at < end] if self._owed else []

    def committed(self, end: int) -> None:
        """Everything owed up to `end` is written."""
        if self._owed:
            self._owed = [one for one in self._owed if one.at >= end]

    def take_reasons(self) -> list[str]:
        """Why records were quarantined since the last call."""
        reasons, self._reasons = self._reasons, []
        return reasons

    def _without_quarantined(
        self, values: Sequence[bytes | None], offsets: Sequence[int]
    ) -> Sequence[bytes | None]:
        """None for what was quarantined before: its bytes may kill whoever decodes them."""
        quarantined = self._decisions.quarantined
        if not quarantined or quarantined.isdisjoint(offsets):
            return values
        return [
            None if offset in quarantined else value
            for value, offset in zip(values, offsets, strict=True)
        ]

    def _route(self, event_type: type) -> Route:
        route = self._routes.get(event_type)
        if route is None:
            route = self._routes[event_type] = Route(event_type, self._service.catalog)
        return route


def check_home(route: Route, event: Any, record: Record) -> str:
    """Why a record does not belong where it stands, empty when it does."""
    key, partition = route.home(event)
    if record.key != key:
        return f"found the key {record.key!r}, wanted {key!r}"
    if record.partition != partition:
        return (
            f"found partition {record.partition}, wanted {partition} of {route.topic.partitions} "
            "(murmur2 of the key)"
        )
    return ""


class _Owed(NamedTuple):
    """What to write with the commit of an offset; `parks` is the fold and key of a park."""

    at: int
    outgoing: Outgoing
    parks: tuple[str, Key] | None = None
