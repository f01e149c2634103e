"""What a service skips for now: keys that are parked and records that are in quarantine.

For people and for verbs that look after a service; workers follow `decisions` themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from streams.engine.decisions import PARTITION, Decision, DecisionKind, decision_of
from streams.engine.fates import Fates
from streams.ports.log import LogAdmin, LogReader
from streams.ports.records import TopicPartition
from streams.topics.keys import key_text


@dataclass(frozen=True, slots=True)
class Skipped:
    """Decisions of a service about its topics as they are, oldest first.

    `parked` holds the newest decision about each key of each fold. What was folded after all is in
    neither; `asked` are the requests that nobody answered yet.
    """

    service: str
    parked: tuple[Decision, ...]
    quarantined: tuple[Decision, ...]
    asked: tuple[Decision, ...] = ()

    def is_parked(self, results: str, key: str) -> bool:
        """Whether the newest result of a key, as text, is older than the key's newest event."""
        return any(results in one.results and key_text(one.fold_key) == key for one in self.parked)

    @property
    def parked_by_source(self) -> dict[TopicPartition, int]:
        """Parked keys by input partition."""
        counts: dict[TopicPartition, int] = {}
        for one in self.parked:
            counts[one.source] = counts.get(one.source, 0) + 1
        return counts


def find_skipped(service: str, admin: LogAdmin, reader: LogReader) -> Skipped:
    """What the service skips, as committed now; nothing for one that has no decisions topic."""
    decisions = list(_decisions(f"{service}.decisions", admin, reader))
    ids = topic_ids(admin, (one.topic for one in decisions))
    fates = Fates()
    for one in decisions:
        if ids.get(one.topic) == one.topic_id:
            fates.add(one)
    skipped = [one for one in fates.all if not one.is_folded]
    return Skipped(
        service,
        parked=tuple(one.skipped for one in skipped if one.skipped.kind is DecisionKind.PARKED),
        quarantined=tuple(
            one.skipped for one in skipped if one.skipped.kind is DecisionKind.QUARANTINED
        ),
        asked=tuple(one.skipped for one in skipped if one.is_asked),
    )


def topic_ids(admin: LogAdmin, names: Iterable[str]) -> dict[str, str]:
    """The ids of topics as they are: one that was deleted has none, one made again another."""
    return {name: info.topic_id for name, info in admin.topics(set(names)).items()}


def _decisions(topic: str, admin: LogAdmin, reader: LogReader) -> Iterator[Decision]:
    if topic in admin.topics([topic]):
        yield from map(decision_of, reader.read({TopicPartition(topic, PARTITION): 0}))
