"""Reading the topics in which a service says what it could not process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import typer

from streams.engine.decisions import PARTITION, decision_of
from streams.engine.fates import Fate, Fates
from streams.engine.skipped import topic_ids
from streams.errors import InputError, NotFound
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.ports.records import Record, TopicPartition
from streams.settings import KafkaSettings


def system_records(service: str, suffix: str) -> list[Record]:
    """Every committed record of `<service>.<suffix>`, oldest first."""
    settings = KafkaSettings()
    topic = f"{service}.{suffix}"
    admin = KafkaAdmin(settings)
    if topic not in admin.topics([topic]):
        known = [
            name.removesuffix(f".{suffix}") for name in admin.names() if name.endswith(f".{suffix}")
        ]
        raise NotFound(
            f"found no topic {topic}, wanted a service, one of: {', '.join(known) or 'none yet'}; "
            "`streams topics apply` makes the topics of new services"
        )
    reader = KafkaReader(settings)
    try:
        return list(reader.read({TopicPartition(topic, PARTITION): 0}))
    finally:
        reader.close()


def fates_of(service: str) -> list[Fate]:
    """What became of everything that a service ever skipped."""
    fates = Fates()
    for record in system_records(service, "decisions"):
        fates.add(decision_of(record), record.timestamp_ms)
    return fates.all


def current_ids(names: Iterable[str]) -> dict[str, str]:
    """The ids of topics as they are now; a topic that is gone is absent."""
    return topic_ids(KafkaAdmin(KafkaSettings()), names)


def tell_of_earlier(count: int, verb: str) -> None:
    """On standard error: how many rows are about topics that were deleted or made again since."""
    if count:
        typer.echo(
            f"left out: {count} of topics that were deleted or made again since; `{verb}` has them",
            err=True,
        )


def record_at(source: str) -> Record | None:
    """The record at `topic/partition/offset`; None when it is no longer in the log."""
    place, offset = parse_source(source)
    return next(records_in(place, offset, offset), None)


def records_in(place: TopicPartition, first: int, last: int) -> Iterator[Record]:
    """The records from one offset to another that are still in the log."""
    reader = KafkaReader(KafkaSettings())
    try:
        for record in reader.read({place: first}):
            if record.offset > last:
                return
            yield record
    except NotFound:
        return
    finally:
        reader.close()


def parse_source(text: str) -> tuple[TopicPartition, int]:
    """Partition and offset of `topic/partition/offset`; InputError if it is none."""
    topic, *numbers = text.split("/")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise InputError(
            f"found {text!r}, wanted topic/partition/offset, such as social.photos/3/17"
        )
    return TopicPartition(topic, int(numbers[0])), int(numbers[1])
