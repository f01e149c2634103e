"""C7, C8, C11 and C13: the group's positions, its stores' offsets, and the ends of the logs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from streams.ports.records import TopicPartition
from tests.faults.checker.evidence import Evidence, Sample
from tests.faults.checker.verdict import Violation


def check_samples(evidence: Evidence) -> Iterator[Violation]:
    """Every committed position that was sampled; the last ones count too."""
    allowed = {(TopicPartition(one.topic, one.partition), one.offset) for one in evidence.resets}
    moved = {source for source, _ in allowed}
    highest: dict[TopicPartition, int] = {}
    last = (Sample(math.inf, *one) for one in evidence.positions.items())
    for sample in (*evidence.samples, *last):
        source, offset = sample.source, sample.offset
        before = highest.get(source, offset)
        is_reset = any(source == one and offset >= to for one, to in allowed)
        if offset < before and not is_reset:
            yield Violation("C7", f"{source} was at {before}, then at {offset}")
        if offset < sample.published and source not in moved:
            yield Violation(
                "C8",
                f"{source}: outputs up to {sample.published} were seen before {offset} was read as "
                "committed",
            )
        highest[source] = offset


def check_stores(evidence: Evidence) -> Iterator[Violation]:
    """Every store's offset against the committed one."""
    for store in evidence.stores:
        committed = evidence.positions.get(store.source, -1)
        if store.offset > committed:
            yield Violation(
                "C11", f"{store.source}: the store is at {store.offset}, committed is {committed}"
            )
    if evidence.is_orderly:
        reached = {store.source for store in evidence.stores}
        best = {
            source: max(one.offset for one in evidence.stores if one.source == source)
            for source in reached
        }
        for source, offset in evidence.positions.items():
            if offset and best.get(source, 0) < offset:
                yield Violation(
                    "C11",
                    f"{source}: all ended well at {offset}, its store is at {best.get(source)}",
                )


def check_liveness(evidence: Evidence) -> Iterator[Violation]:
    """Nothing is left to read, and nothing is left open.

    Markers alone may stand behind a position: those of a transaction in which nothing was written
    when its worker gave it up, and that the broker ended after the last worker had read all.
    """
    for source, end in sorted(evidence.ends.items()):
        if end.committed != end.written:
            yield Violation("C13", f"{source}: a transaction is open from {end.committed} on")
        position = evidence.positions.get(source)
        if position is None:
            continue
        unread = sum(one.offset >= position for one in evidence.log[source])
        if unread or position > end.written:
            found = f"read up to {position} of {end.written}, {unread} records are left"
            yield Violation("C13", f"{source}: {found}")
