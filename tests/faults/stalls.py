"""How long the service stood still: the longest time in which some input had something to read
and its committed position did not move."""

from __future__ import annotations

from collections.abc import Iterable

from streams.ports.records import TopicPartition
from tests.faults.checker.evidence import Sample


def longest_stall_s(samples: Iterable[Sample]) -> float:
    """Over all inputs, of samples in the order they were taken."""
    longest_s = 0.0
    offsets: dict[TopicPartition, int] = {}
    since: dict[TopicPartition, float] = {}
    for one in samples:
        if one.offset > offsets.get(one.source, -1) or one.end <= one.offset:
            offsets[one.source] = one.offset
            since.pop(one.source, None)
        if one.end > one.offset:
            longest_s = max(longest_s, one.at_s - since.setdefault(one.source, one.at_s))
    return round(longest_s, 2)
