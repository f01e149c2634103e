"""C3, C9: each input record that nobody can decode is in quarantine once, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from services.counters import SERVICE
from streams.ports.records import Position
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.model import STAGES
from tests.faults.checker.verdict import Violation


def check_quarantine(evidence: Evidence) -> Iterator[Violation]:
    """Everything in quarantine against everything that had to go there."""
    found = Counter(
        seen.source
        for place, log in evidence.log.items()
        if place.topic == SERVICE.quarantine
        for seen in log
    )
    wanted = set(_undecodable(evidence))
    for position in sorted(wanted - found.keys()):
        yield Violation("C9", f"{position} cannot be decoded and is not in quarantine")
    for position in found.keys() - wanted:
        yield Violation("C9", f"{position} is in quarantine, which is not called for")
    for position, times in found.items():
        if times > 1:
            yield Violation("C3", f"{position} is in quarantine {times} times")


def _undecodable(evidence: Evidence) -> Iterator[Position]:
    """Input records without a message, as far as the service has come."""
    for source in evidence.log:
        if source.topic in STAGES:
            committed = evidence.positions.get(source, 0)
            for seen in evidence.log[source]:
                if seen.message is None and seen.offset < committed:
                    yield Position(*source, seen.offset)
