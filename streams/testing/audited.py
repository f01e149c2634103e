"""The audit of a whole service: each of its folds over the log that it would read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from streams.events.message import Message
from streams.fold.bound import BoundFold
from streams.ports.records import TopicPartition
from streams.testing.audit import DOUBLED, WAYS, Difference, Entry, Found, find_wrong
from streams.testing.case import Case, stamped
from streams.testing.forbidden_calls import ForbiddenCall
from streams.testing.module_globals import ModuleGlobals
from streams.testing.plain_fold import Packing, PlainFold, Raised
from streams.testing.shrinking import Shrinker
from streams.topics.topic import Kind


@dataclass(frozen=True, slots=True)
class Audit:
    """What is wrong with a fold; `case` has as few events as show it.

    `changed` are the globals, as `module.name`, that changed while they were folded.
    """

    case: Case
    fold: str
    found: Found
    changed: tuple[str, ...]

    @property
    def kind(self) -> tuple[str, str]:
        """What stays the same while it is made smaller."""
        match self.found:
            case Difference(way=way):
                return self.fold, way.says
            case Raised(cause=cause):
                return self.fold, type(cause).__name__
            case ForbiddenCall(place=place):
                return self.fold, place


def audited(case: Case) -> Audit | None:
    """The first thing that is wrong with the folds of a service over its events."""
    auditor = _Auditor(case)
    audit = auditor.look(case)
    if audit is None:
        return None

    def is_wrong(smaller: Case) -> bool:
        found = auditor.look(smaller)
        return found is not None and found.kind == audit.kind

    shrinker = Shrinker(case, is_wrong)
    shrinker.fewer(case.events, case.with_events)
    return auditor.look(shrinker.case) or audit


class _Auditor:
    def __init__(self, case: Case) -> None:
        service = self._service = case.service
        self._packing = Packing(service.catalog)
        functions = [one.handle for fold in service.bound for one in fold.handlers.values()]
        functions += [rule.conclude for fold in service.folds for rule in fold.results]
        self._globals = ModuleGlobals(functions)

    def look(self, case: Case) -> Audit | None:
        """The first thing that is wrong; globals of the handlers' modules are as before."""
        logs: dict[str, list[Entry]] = {name: [] for name in self._service.inputs}
        ends: Counter[TopicPartition] = Counter()
        for number, event in enumerate(case.events, start=1):
            self._append(logs, ends, stamped(event, number))
        for topic in self._service.inputs:  # what the service writes itself comes last
            for fold in self._service.folds_of(topic):
                found = _found(case, fold, logs[topic])
                changed = tuple(self._globals.changed())
                self._globals.restore()
                if found is not None:
                    return Audit(case, fold.name, found, changed)
                for message in self._published(fold, logs[topic], logs):
                    self._append(logs, ends, message)
                self._globals.restore()
        return None

    def _published(
        self, fold: BoundFold, log: Sequence[Entry], topics: Container[str]
    ) -> Iterator[Message]:
        """What a fold writes into topics that the service reads back, asked after each event."""
        plain = PlainFold(fold)
        for entry in list(log):
            if not plain.handles(entry.event) or not plain.takes(plain.key(entry.event), 0):
                continue
            key = plain.key(entry.event)
            try:
                for fact in plain.take(entry.source, entry.offset, entry.event):
                    if self._packing.route(type(fact)).topic.name in topics:
                        yield fact
                for topic, message in plain.results(key):
                    if topic in topics and message is not None:
                        yield message
            except Raised:
                plain.parked[key] = 0

    def _append(
        self, logs: dict[str, list[Entry]], ends: Counter[TopicPartition], message: Message
    ) -> None:
        route = self._packing.route(type(message))
        source = TopicPartition(route.topic.name, route.home(message)[1])
        logs[source.topic].append(Entry(source, ends[source], message))
        ends[source] += 1


def _found(case: Case, fold: BoundFold, log: Sequence[Entry]) -> Found | None:
    is_emitted = fold.topic.kind is Kind.EVENTS
    ways = (*WAYS, DOUBLED) if case.duplicates and is_emitted else WAYS
    return find_wrong(fold, log, ways, may_raise=case.may_park)
