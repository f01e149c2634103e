"""How far a service has published, read from all that it ever wrote.

Each record a worker writes says in its `source` header up to which input offset it was made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from streams.engine.decisions import (
    ACCEPTED,
    ASKED,
    PARTITION,
    Decision,
    DecisionKind,
    decision_of,
)
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import Log, TopicInfo
from streams.ports.records import Record, TopicPartition
from streams.views.latest import Progress as Report

_REPORT_EVERY: Final = 10_000
_SOURCE: Final = re.compile(rb"([A-Za-z0-9._-]+)/(\d+)/(\d+)")

Topics = Mapping[str, TopicInfo]


def read_published(
    service: Service, topics: Topics, log: Log, report: Report
) -> dict[TopicPartition, int]:
    """The highest input offset behind anything published, for each input partition.

    What was made of a topic before it was begun anew does not count. `report` is told how much of
    all was read.
    """
    admin = log.admin()
    outputs = output_partitions(service, topics)
    total = sum(admin.ends(outputs).values()) - sum(admin.starts(outputs).values())
    admin.close()
    reader = log.reader()
    try:
        decisions = reader.read({TopicPartition(service.decisions, PARTITION): 0})
        begun = _begun_anew(map(decision_of, decisions), topics)
        records = _counted(reader.read(dict.fromkeys(outputs, 0)), lambda n: report(n, total))
        return _published(service, topics, records, begun)
    finally:
        reader.close()


def output_partitions(service: Service, topics: Topics) -> list[TopicPartition]:
    """Every partition whose records say of what input they were made."""
    names = dict.fromkeys([*(topic.name for topic in service.output_topics), service.decisions])
    return [
        TopicPartition(name, number) for name in names for number in range(topics[name].partitions)
    ]


def _begun_anew(
    decisions: Iterable[Decision], topics: Topics
) -> dict[TopicPartition, Mapping[str, int]]:
    """For inputs that were begun anew: where each output ended then."""
    return {
        one.source: one.ends
        for one in decisions
        if one.kind is DecisionKind.BEGUN_ANEW and one.topic_id == topics[one.topic].topic_id
    }


def _counted(records: Iterable[Record], on_count: Callable[[int], None]) -> Iterator[Record]:
    count = 0
    for count, record in enumerate(records, start=1):
        yield record
        if count % _REPORT_EVERY == 0:
            on_count(count)
    on_count(count)


def _published(
    service: Service,
    topics: Topics,
    records: Iterable[Record],
    begun: Mapping[TopicPartition, Mapping[str, int]],
) -> dict[TopicPartition, int]:
    highest: dict[TopicPartition, int] = {}
    strange: Counter[str] = Counter()
    for record in records:
        made_of = _source(service, record, topics)
        if made_of is None:
            strange[record.topic] += 1
            continue
        source, offset = made_of
        place = str(TopicPartition(record.topic, record.partition))
        is_of_before = source in begun and record.offset < begun[source].get(place, 0)
        if offset > highest.get(source, -1) and not is_of_before:
            highest[source] = offset
    _tell_strange(service, strange)
    return highest


def _tell_strange(service: Service, counts: Mapping[str, int]) -> None:
    """A log line for each topic with records that no worker wrote, as workers name the source."""
    for topic, count in counts.items():
        get_logger().warning(
            "passed over records without a readable source header; no worker wrote them",
            action="strange-records",
            service=service.name,
            topic=topic,
            records=count,
        )


def _source(service: Service, record: Record, topics: Topics) -> tuple[TopicPartition, int] | None:
    """The input offset up to which a record was made; None for one that no worker wrote."""
    if record.topic == service.decisions:
        decision = decision_of(record)
        is_of_today = decision.topic_id == topics[decision.topic].topic_id
        is_a_persons = decision.kind in ASKED | ACCEPTED  # it says nothing of what was folded
        return decision.source, decision.at if is_of_today and not is_a_persons else -1
    for name, value in record.headers:
        if name == "source":
            return _place(value)
    return None


def _place(header: bytes | None) -> tuple[TopicPartition, int] | None:
    match = _SOURCE.fullmatch(header or b"")
    if match is None:
        return None
    topic, partition, offset = match.groups()
    return TopicPartition(topic.decode(), int(partition)), int(offset)
