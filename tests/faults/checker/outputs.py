"""C3, C8, C9 and C12: every output of the service, from its input, in order.

An output names in its header `source` the input it was made of: a fact its own event, a result
the last record of its interval. So the sources of results are the commits' boundaries, and what
must stand between two of them can be recomputed: each touched key once, with its value there.

Where an input was folded again from its start, on purpose, this holds for each course of it: the
reset tells how far the last one had come, and where in the outputs the next one begins.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.counters import ActorCounted
from streams.events.ids import derived_event_id
from streams.events.message import Message
from streams.ports.records import Position, TopicPartition
from tests.faults.checker.evidence import Evidence, Seen
from tests.faults.checker.model import STAGES, Count, Stage, Upsert, rows_of, upsert
from tests.faults.checker.verdict import Violation
from tests.faults.timeline import Reset

OUTPUTS = (
    "counters.contributions",
    "counters.photos",
    "counters.users",
    "counters.conversations",
)

_FACT = ActorCounted.avro_name

Course = tuple[TopicPartition, int]
"""An input partition, and how often it had been begun again."""

Resets = Mapping[TopicPartition, Sequence[Reset]]


@dataclass(slots=True)
class Found:
    """What was made in one course: rows by boundary, facts by the offset of their event."""

    rows: defaultdict[int, Counter[Upsert]] = field(default_factory=lambda: defaultdict(Counter))
    facts: defaultdict[int, list[ActorCounted]] = field(default_factory=lambda: defaultdict(list))


def check_outputs(evidence: Evidence) -> Iterator[Violation]:
    """Every output of every course of every input partition."""
    resets: defaultdict[TopicPartition, list[Reset]] = defaultdict(list)
    for one in evidence.resets:
        if one.ends:
            resets[TopicPartition(one.topic, one.partition)].append(one)
    found: defaultdict[Course, Found] = defaultdict(Found)
    for place in sorted(one for one in evidence.log if one.topic in OUTPUTS):
        yield from _sort(place, evidence.log[place], resets, found)
    for source in sorted(one for one in evidence.log if one.topic in STAGES):
        reached = [one.reached for one in resets[source]]
        for course, end in enumerate((*reached, evidence.positions.get(source, 0))):
            made = found.pop((source, course), Found())
            yield from _recompute(source, evidence.log[source], end, made)
    for source, _ in found:
        yield Violation("C9", f"outputs name the source {source}, which nobody folds")


def _sort(
    place: TopicPartition,
    log: Sequence[Seen],
    resets: Resets,
    found: defaultdict[Course, Found],
) -> Iterator[Violation]:
    """Put the outputs of one partition to their sources, which must not go back in a course."""
    last: dict[Course, int] = {}
    ids: dict[bytes, int] = {}
    for seen in log:
        if seen.message is None or seen.source is None:
            yield Violation("C9", f"{place}/{seen.offset}: an output without value or source")
            continue
        course = _course(place, seen.offset, seen.source, resets)
        if isinstance(seen.message, ActorCounted):
            event_id = seen.message.event_id
            if event_id in ids:
                yield Violation(
                    "C12", f"fact {event_id.hex()} at {place}/{ids[event_id]} and {seen.offset}"
                )
            ids[event_id] = seen.offset
            found[course].facts[seen.source.offset].append(seen.message)
        else:
            found[course].rows[seen.source.offset][_upsert(place.topic, seen.message)] += 1
        if seen.source.offset < last.get(course, -1):
            yield Violation(
                "C9",
                f"{place}/{seen.offset} is made of {seen.source}, what stands before it of "
                f"{last[course]}",
            )
        last[course] = max(last.get(course, -1), seen.source.offset)


def _course(place: TopicPartition, offset: int, made_of: Position, resets: Resets) -> Course:
    source = TopicPartition(made_of.topic, made_of.partition)
    begun = sum(one.ends[str(place)] <= offset for one in resets.get(source, ()))
    return source, begun


def _recompute(
    source: TopicPartition, log: Sequence[Seen], committed: int, found: Found
) -> Iterator[Violation]:
    """Walk one input partition up to a committed position."""
    stage = STAGES[source.topic]()
    touched: dict[Any, None] = {}
    for seen in log:
        if seen.offset >= committed:
            break
        key, facts = (None, []) if seen.message is None else stage.see(seen.message)
        if key is not None:
            touched[key] = None
        at = Position(*source, seen.offset)
        yield from _facts(at, stage, facts, found.facts.pop(seen.offset, []))
        if seen.offset in found.rows:
            yield from _interval(at, rows_of(stage, list(touched)), found.rows.pop(seen.offset))
            touched.clear()
    yield from _left(source, committed, rows_of(stage, list(touched)), found)


def _left(
    source: TopicPartition, committed: int, missing: Counter[Upsert], found: Found
) -> Iterator[Violation]:
    for row in missing:
        yield Violation("C9", f"{source}: {row} is not published, though {committed} is committed")
    for offset in sorted(found.rows.keys() | found.facts.keys()):
        prop = "C8" if offset >= committed else "C9"
        yield Violation(
            prop, f"{source}/{offset}: outputs of it are visible; {committed} is committed"
        )


def _facts(
    at: Position, stage: Stage, wanted: list[Count], found: list[ActorCounted]
) -> Iterator[Violation]:
    if not wanted and not found:
        return
    said = Counter(Count(one.user_id, str(one.kind), one.delta) for one in found)
    for fact in (Counter(wanted) - said).elements():
        yield Violation("C9", f"{at}: the fact {fact} is missing")
    for fact in (said - Counter(wanted)).elements():
        yield Violation("C9", f"{at}: the fact {fact} was not called for")
    ordinals = Counter(fact.user_id for fact in wanted)
    ids = {
        derived_event_id(stage.name, *at, (_FACT, str(user_id), ordinal))
        for user_id, count in ordinals.items()
        for ordinal in range(count)
    }
    for fact in found:
        if fact.event_id not in ids:
            yield Violation("C12", f"{at}: a fact has the id {fact.event_id.hex()}, not its own")


def _interval(at: Position, wanted: Counter[Upsert], found: Counter[Upsert]) -> Iterator[Violation]:
    if wanted == found:
        return
    for row in (wanted - found).elements():
        yield Violation("C8", f"the commit at {at} lacks {row}")
    for row in (found - wanted).elements():
        yield Violation("C9", f"the commit at {at} has {row}, which is not called for")


def _upsert(topic: str, message: Message) -> Upsert:
    return upsert(topic, {one: getattr(message, one) for one in message.__struct_fields__})
