"""Whether a service has folded everything there is, and how far it is behind."""

from __future__ import annotations

from typing import NamedTuple

from streams.engine.first_start import described
from streams.fold.service import Service
from streams.ports.log import LogAdmin
from streams.ports.records import TopicPartition


def input_partitions(service: Service, admin: LogAdmin) -> list[TopicPartition]:
    """Every partition the service reads; topics it also writes come last."""
    topics = described(service, admin)
    return [
        TopicPartition(name, number)
        for name in service.inputs
        for number in range(topics[name].partitions)
    ]


class Standing(NamedTuple):
    """How far a service is: offsets it has passed and offsets left, over all its inputs."""

    passed: int
    left: int
    is_caught_up: bool


def is_caught_up(service: Service, admin: LogAdmin) -> bool:
    """Whether every input's committed position is at its end, and stays there for a whole round."""
    return standing(service, admin).is_caught_up


def standing(service: Service, admin: LogAdmin) -> Standing:
    """How far a service is, and whether it has caught up.

    Ends are read before and after the positions: equal ends mean that nothing was written in
    between. Topics the service itself writes are judged by their end with open transactions, since
    a marker may still be on its way when the offsets behind it are already committed. A position
    beyond the end is none: its worker stops and says so.
    """
    sources = input_partitions(service, admin)
    before = _ends(service, sources, admin)
    positions = admin.group_positions(service.name, sources)
    after = _ends(service, sources, admin)
    offsets = {source: one.offset if one else None for source, one in positions.items()}
    passed = {source: min(offsets[source] or 0, end) for source, end in after.items()}
    return Standing(
        passed=sum(passed.values()),
        left=sum(end - passed[source] for source, end in after.items()),
        is_caught_up=before == after == offsets,
    )


def _ends(
    service: Service, sources: list[TopicPartition], admin: LogAdmin
) -> dict[TopicPartition, int]:
    written = {topic.name for topic in service.output_topics}
    given = [source for source in sources if source.topic not in written]
    own = [source for source in sources if source.topic in written]
    return {**admin.ends(given), **admin.ends(own, committed=False)}
