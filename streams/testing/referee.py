"""Holds every committed transaction of a service against a plain fold of the log.

A transaction moves offsets. It must carry exactly what a plain fold makes of the records between
the old offsets and the new ones: each fact once, the result of each changed key as it is at the new
offset, a decision for each record that cannot be folded, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.avro.codec import Codec
from streams.engine.admission import check_home
from streams.engine.decisions import Decision, DecisionKind, decision_of
from streams.engine.progress import progress_of
from streams.errors import Undecodable
from streams.events.message import Message
from streams.fold.service import Service
from streams.ports.records import Committed, Record, TopicPartition
from streams.testing.log import InMemoryLog
from streams.testing.partition import Transaction
from streams.testing.plain_fold import Output, Packing, PlainFold, Raised
from streams.topics.keys import Key


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong. `kind` is a short stable word; `details` are lines for a person."""

    kind: str
    text: str
    details: tuple[str, ...] = ()


class Wrong(Exception):
    """A finding, on its way out."""

    def __init__(self, kind: str, text: str, *details: str) -> None:
        super().__init__(text)
        self.finding = Finding(kind, text, details)


@dataclass(slots=True)
class Judged:
    """One input partition: how far it is committed, and its folds as of there."""

    source: TopicPartition
    folds: list[PlainFold]
    offset: int | None = None
    count: int = 0
    decided: set[tuple[DecisionKind, int, str, Any]] = field(default_factory=set)

    @property
    def at(self) -> int:
        """The committed offset, 0 before there is one."""
        return self.offset or 0


@dataclass(slots=True)
class Window:
    """What one transaction must carry for one partition."""

    outputs: list[tuple[Output, int]] = field(default_factory=list)
    quarantined: list[int] = field(default_factory=list)
    changed: dict[tuple[str, Key], PlainFold] = field(default_factory=dict)
    last: int = -1


class Referee:
    """Follows one service on one log. `finding` is the first thing that was wrong.

    `commits` counts transactions, `written` what they published. `may_park` allows handlers and
    results to raise.
    """

    def __init__(self, service: Service, log: InMemoryLog, *, may_park: bool = False) -> None:
        self.finding: Finding | None = None
        self.commits = 0
        self.written = 0
        self._service = service
        self._log = log
        self._may_park = may_park
        self._packing = Packing(service.catalog)
        self._outputs = {topic.name for topic in service.output_topics}
        registry = service.catalog.registry
        self._codecs = {name: Codec(registry, service.types_of(name)) for name in service.inputs}
        self.partitions = {
            source: Judged(source, [PlainFold(fold) for fold in service.folds_of(source.topic)])
            for name in service.inputs
            for source in log.partitions(name)
        }

    def committed(self, transactional_id: str, transaction: Transaction) -> None:
        """Judge a transaction that was just committed."""
        if self.finding is not None or not transactional_id.startswith(f"{self._service.name}."):
            return
        self.commits += 1
        self.written += len(transaction.records)
        try:
            self._judge(transaction)
        except Wrong as wrong:
            self.finding = wrong.finding
        except Raised as raised:
            self.finding = _raised(raised)

    def _judge(self, transaction: Transaction) -> None:
        moved = {source: one for (_, source), one in transaction.positions.items()}
        if not moved and transaction.records:
            raise Wrong("torn", "outputs were committed without the offsets they belong to")
        decisions = [
            decision_of(record)
            for record in transaction.records
            if record.topic == self._service.decisions
        ]
        self._park(decisions, moved)
        windows = {source: self._window(source, one) for source, one in moved.items()}
        found = [record for record in transaction.records if record.topic in self._outputs]
        self._compare([one for window in windows.values() for one in window.outputs], found)
        self._compare_refused(windows, decisions, transaction.records)

    def _window(self, source: TopicPartition, position: Committed) -> Window:
        """Fold a partition up to the offset that was committed."""
        judged = self.partitions[source]
        progress = progress_of(source, position, self._service.name)
        if position.offset < judged.at:
            raise Wrong(
                "offsets",
                f"the committed offset of {source} went back",
                f"expected at least {judged.at}",
                f"found {position.offset}",
            )
        if judged.offset is not None and progress.count != judged.count + 1:
            raise Wrong(
                "offsets",
                f"transaction {progress.count} of {source} follows transaction {judged.count}",
            )
        window = Window()
        for record in self._log.between(source, judged.at, position.offset):
            self._fold(judged, record, window)
        for (_, key), fold in window.changed.items():
            for topic, message in fold.results(key):
                window.outputs.append((self._packing.output(topic, key, message), window.last))
        judged.offset, judged.count = position.offset, progress.count
        return window

    def _fold(self, judged: Judged, record: Record, window: Window) -> None:
        window.last = record.offset
        event = self._event(record)
        if event is None:
            return
        takers = [
            (fold, fold.key(event))
            for fold in judged.folds
            if fold.handles(event) and fold.takes(fold.key(event), record.offset)
        ]
        if isinstance(event, Undecodable) or self._is_stray(takers, event, record):
            window.quarantined.append(record.offset)
            return
        for fold, key in takers:
            window.changed[fold.fold.name, key] = fold
            for fact in fold.take(judged.source, record.offset, event):
                topic = self._packing.route(type(fact)).topic.name
                window.outputs.append((self._packing.output(topic, key, fact), record.offset))

    def _event(self, record: Record) -> Any:
        """The event of a record, Undecodable, or None where no fold handles its type."""
        if record.value is None:
            return Undecodable("no value")
        return self._codecs[record.topic].decode_many([record.value])[0]

    def _is_stray(
        self, takers: list[tuple[PlainFold, Key]], event: Message, record: Record
    ) -> bool:
        is_new = any(key not in fold.states for fold, key in takers)
        return is_new and bool(check_home(self._packing.route(type(event)), event, record))

    def _park(
        self, decisions: Iterable[Decision], moved: Mapping[TopicPartition, Committed]
    ) -> None:
        """Follow decisions to park a key, each of which somebody must have had a reason for."""
        for one in decisions:
            judged = self.partitions[one.source]
            what = (one.kind, one.at, one.fold, one.fold_key)
            end = moved[one.source].offset if one.source in moved else -1
            if what in judged.decided or not judged.at <= one.at < end:
                raise Wrong("decisions", f"a decision about {one.source}/{one.at} is not due")
            judged.decided.add(what)
            if one.kind is not DecisionKind.PARKED:
                continue
            if not self._may_park:
                raise Wrong("raised", f"{one.fold} raised and parked a key", one.detail)
            fold = next(fold for fold in judged.folds if fold.fold.name == one.fold)
            fold.parked[one.fold_key] = one.at

    def _compare(self, wanted: list[tuple[Output, int]], found: list[Record]) -> None:
        have = [Output(one.topic, one.partition, one.key or b"", one.value) for one in found]
        expected = [output for output, _ in wanted]
        if Counter(expected) != Counter(have):
            raise self._difference(expected, have)
        sources = Counter((output, offset) for output, offset in wanted)
        if sources != Counter(zip(have, map(_source_offset, found), strict=True)):
            raise Wrong("source", "a record does not name the input record it was made of")

    def _difference(self, wanted: list[Output], found: list[Output]) -> Wrong:
        missing = list((Counter(wanted) - Counter(found)).elements())
        extra = list((Counter(found) - Counter(wanted)).elements())
        first = (missing or extra)[0]
        place = f"{first.topic}, key {first.key.decode(errors='replace')}"
        kind = "missing" if not extra else "extra" if not missing else "wrong"
        text = {"missing": "is missing", "extra": "is too much", "wrong": "is wrong"}[kind]
        return Wrong(
            kind,
            f"a record of {place} {text}",
            f"expected {self._shown(one for one in wanted if one[:3] == first[:3])}",
            f"found {self._shown(one for one in found if one[:3] == first[:3])}",
        )

    def _shown(self, outputs: Iterable[Output]) -> str:
        return ", ".join(map(self._decoded, outputs)) or "nothing"

    def _decoded(self, output: Output) -> str:
        if output.value is None:
            return "a tombstone"
        catalog = self._service.catalog
        types = {one.avro_name: one for one in catalog.types_of(output.topic)}
        return repr(Codec(catalog.registry, types).decode(output.value))

    def _compare_refused(
        self,
        windows: Mapping[TopicPartition, Window],
        decisions: Iterable[Decision],
        records: Iterable[Record],
    ) -> None:
        wanted = Counter(
            f"{source}/{at}" for source, window in windows.items() for at in window.quarantined
        )
        decided = Counter(
            f"{one.source}/{one.at}" for one in decisions if one.kind is DecisionKind.QUARANTINED
        )
        kept = Counter(
            dict(one.headers)["source"].decode()
            for one in records
            if one.topic == self._service.quarantine
        )
        if not wanted == decided == kept:
            raise Wrong(
                "quarantine",
                "records that cannot be folded are not those in quarantine",
                f"expected {sorted(wanted)}",
                f"found {sorted(kept)}, decided {sorted(decided)}",
            )


def _source_offset(record: Record) -> int:
    return int(dict(record.headers)["source"].rpartition(b"/")[2])


def _raised(raised: Raised) -> Finding:
    return Finding("raised", f"{raised}", (f"key {raised.key!r}, offset {raised.offset}",))
