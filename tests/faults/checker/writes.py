"""C1, C2, C3 and C5: what the generators were told, against what is in the log."""

from __future__ import annotations

from collections.abc import Iterator

from streams.events.message import Event
from streams.ports.records import TopicPartition
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.verdict import Violation
from tests.faults.history import Answer, Written, digest_of

Place = tuple[TopicPartition, int]
Found = dict[bytes, tuple[Place, int]]


def check_writes(evidence: Evidence) -> Iterator[Violation]:
    """Every event that a generator sent, and every one that is there."""
    found: Found = {}
    topics = {one.topic for one in evidence.history.values()}
    for source in sorted(one for one in evidence.log if one.topic in topics):
        for seen in evidence.log[source]:
            if not isinstance(seen.message, Event):
                continue
            event_id = seen.message.event_id
            if event_id in found:
                first = _at(found[event_id][0])
                yield Violation("C3", f"{event_id.hex()} at {first} and at {source}/{seen.offset}")
            else:
                found[event_id] = (source, seen.offset), digest_of(seen.message)
    yield from _strangers(evidence, found)
    yield from _answers(evidence, found)
    yield from _order(evidence, found)


def _strangers(evidence: Evidence, found: Found) -> Iterator[Violation]:
    for event_id, (place, _) in found.items():
        if event_id not in evidence.history:
            yield Violation("C1", f"nobody sent {event_id.hex()}, which is at {_at(place)}")


def _answers(evidence: Evidence, found: Found) -> Iterator[Violation]:
    for event_id, written in evidence.history.items():
        there = found.get(event_id)
        if there is None:
            if written.answer is Answer.OK:
                yield Violation("C1", f"{_named(written)} was acknowledged and is nowhere")
            continue
        (source, offset), digest = there
        if written.answer is Answer.FAIL:
            yield Violation("C2", f"{_named(written)} failed and is at {source}/{offset}")
        if written.answer is Answer.OK and written.offset >= 0:
            told = (TopicPartition(written.topic, written.partition), written.offset)
            if told != (source, offset):
                yield Violation(
                    "C1",
                    f"{_named(written)} was acknowledged at {_at(told)}, is at {source}/{offset}",
                )
        if digest != written.digest:
            yield Violation("C1", f"{_named(written)} at {source}/{offset} is not what was sent")


def _order(evidence: Evidence, found: Found) -> Iterator[Violation]:
    """Walks each key's events in the order they were sent."""
    last: dict[tuple[str, str], Place] = {}
    for event_id, written in evidence.history.items():
        if event_id not in found:
            continue
        place = found[event_id][0]
        before = last.get((written.topic, written.key))
        last[written.topic, written.key] = place
        if before is None:
            continue
        if before[0] != place[0]:
            yield Violation("C5", f"{_named(written)} is in {place[0]}, its key was in {before[0]}")
        elif before[1] >= place[1]:
            yield Violation("C5", f"{_named(written)} at {_at(place)} stands before {_at(before)}")


def _named(written: Written) -> str:
    return f"{written.topic} key {written.key} number {written.sequence} ({written.event_id.hex()})"


def _at(place: Place) -> str:
    return f"{place[0]}/{place[1]}"
