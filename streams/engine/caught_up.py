"""Whether a service has folded everything there is, and how far it is behind."""

from __future__ import annotations

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


def is_caught_up(service: Service, admin: LogAdmin) -> bool:
    """Whether every input's committed position is at its end, and stays there for a whole round.

    Ends are read before and after the positions: equal ends mean that nothing was written in
    between. Topics the service itself writes are judged by their end with open transactions, since
    a marker may still be on its way when the offsets behind it are already committed. A position
    beyond the end is none: its worker stops and says so.
    """
    sources = input_partitions(service, admin)
    before = _ends(service, sources, admin)
    positions = admin.group_positions(service.name, sources)
    after = _ends(service, sources, admin)
    return before == after and all(
        position is not None and position.offset == before[source]
        for source, position in positions.items()
    )


def _ends(
    service: Service, sources: list[TopicPartition], admin: LogAdmin
) -> dict[TopicPartition, int]:
    written = {topic.name for topic in service.output_topics}
    given = [source for source in sources if source.topic not in written]
    own = [source for source in sources if source.topic in written]
    return {**admin.ends(given), **admin.ends(own, committed=False)}
