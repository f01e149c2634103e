"""C4, C6 and C14: what the reader that ran along saw, and what a client was answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from streams.ports.records import TopicPartition
from tests.faults.checker.evidence import Evidence, Glance, Seen
from tests.faults.checker.verdict import Violation


def check_reads(evidence: Evidence) -> Iterator[Violation]:
    """Every record that was seen while the trial ran."""
    for source, sessions in evidence.live.items():
        there = {seen.offset: seen.crc for seen in evidence.log.get(source, ())}
        for session in sessions:
            yield from _agreement(source, session, there)
            yield from _monotonic(source, session, there)


def check_gets(evidence: Evidence) -> Iterator[Violation]:
    """Every answer to a client."""
    rows: dict[TopicPartition, dict[int, Seen]] = {}
    last: dict[tuple[str, Any], int] = {}
    for got in evidence.gets:
        source = TopicPartition(got.topic, got.partition)
        if source not in rows:
            rows[source] = {seen.offset: seen for seen in evidence.log.get(source, ())}
        seen = rows[source].get(got.offset)
        if seen is None or seen.message != got.row:
            yield Violation("C14", f"read {got.row} at {source}/{got.offset}, never committed")
        if last.get((got.topic, got.key), -1) > got.offset:
            yield Violation(
                "C14",
                f"key {got.key} of {source} was read at {last[got.topic, got.key]}, then at "
                f"{got.offset}",
            )
        last[got.topic, got.key] = got.offset


def _agreement(
    source: TopicPartition, session: Sequence[Glance], there: dict[int, int]
) -> Iterator[Violation]:
    for glance in session:
        crc = there.get(glance.offset)
        if crc is None:
            yield Violation("C4", f"{source}/{glance.offset} was read, and later was not there")
        elif crc != glance.crc:
            yield Violation("C4", f"{source}/{glance.offset} was read with two different values")


def _monotonic(
    source: TopicPartition, session: Sequence[Glance], there: dict[int, int]
) -> Iterator[Violation]:
    for one, other in pairwise(session):
        if other.offset <= one.offset:
            yield Violation("C6", f"{source}: read {one.offset}, then {other.offset}")
    if session:
        seen = {glance.offset for glance in session}
        first, end = session[0].offset, session[-1].offset
        for offset in there:
            if first < offset < end and offset not in seen:
                yield Violation("C6", f"{source}/{offset} was skipped")
