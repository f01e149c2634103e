"""Logs whose first records are gone: a fold over one counts only what is left.

That is never begun unasked. Whoever asks for it is told of each such partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streams.errors import TopicChanged
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.records import TopicPartition

_MOST_NAMED: Final = 5


def refuse_cut(service: Service, starts: Mapping[TopicPartition, int]) -> None:
    """TopicChanged when a log does not reach back to offset 0."""
    cut = [f"{source} begins at {start}" for source, start in starts.items() if start > 0]
    if cut:
        raise TopicChanged(
            f"{service.name}: found logs whose first records are gone ({_listed(cut)}), wanted "
            "them to begin at 0: retention or a deletion removed what this service never read, and "
            "its results would count only what is left; bring those records back, or accept it "
            f"with `{service.restore}`"
        )


def tell_cut(starts: Mapping[TopicPartition, int]) -> None:
    """A log line for each partition that is folded from its cut on."""
    for source, start in starts.items():
        if start > 0:
            get_logger().warning(
                "the log's first records are gone; results count only what it still holds",
                action="log-cut",
                topic=source.topic,
                partition=source.partition,
                begins=start,
            )


def tell_skipped(gaps: Mapping[TopicPartition, range]) -> None:
    """A log line for each partition with records that are gone and that nobody folded."""
    for source, gap in gaps.items():
        if gap:
            get_logger().warning(
                "the log does not hold these records any more; they are never counted",
                action="records-skipped",
                topic=source.topic,
                partition=source.partition,
                first=gap.start,
                last=gap.stop - 1,
            )


def _listed(cut: list[str]) -> str:
    more = len(cut) - _MOST_NAMED
    return ", ".join(cut[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
