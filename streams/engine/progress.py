"""The text kept beside each committed offset: what the offset means."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import msgspec

from streams.errors import ConfigurationError, OffsetsMissing
from streams.fold.service import Service
from streams.ports.log import TopicInfo
from streams.ports.records import Committed, TopicPartition

MAX_METADATA_BYTES = 4_095
"""Kafka's default limit (`offset.metadata.max.bytes` is 4,096)."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Which state a committed offset belongs to.

    `generation` names the store's line of descent, `versions` the folds that made it, `count`
    grows by one with each transaction (so a transaction that moved no offset is still seen),
    `topic_id` tells a recreated topic, `partitions` how many it had (0: not known), `origin` is the
    first offset ever folded.
    """

    generation: str
    versions: dict[str, int]
    topic_id: str
    origin: int
    partitions: int = 0
    count: int = 0

    def next(self) -> Progress:
        """The progress of the following transaction."""
        return msgspec.structs.replace(self, count=self.count + 1)

    def text(self) -> str:
        """JSON, for the offset's metadata; ConfigurationError when a broker would refuse it."""
        text = msgspec.json.encode(self)
        if len(text) > MAX_METADATA_BYTES:
            raise ConfigurationError(
                f"found {len(self.versions)} folds over one topic whose names and versions take "
                f"{len(text)} bytes beside its offsets, wanted at most {MAX_METADATA_BYTES}; split "
                "the service in two, or shorten the names"
            )
        return text.decode()


def progress_of(source: TopicPartition, committed: Committed, restore: str) -> Progress:
    """The progress beside a committed offset; OffsetsMissing when something else wrote it.

    `restore` is the command that then helps.
    """
    try:
        return msgspec.json.decode(committed.metadata, type=Progress)
    except msgspec.DecodeError as exc:
        raise OffsetsMissing(
            f"{source}: found the committed offset {committed.offset} with the note "
            f"{committed.metadata[:60]!r}, wanted one written by a worker; another tool moved the "
            f"group's offsets: run `{restore}`"
        ) from exc


def note_of(source: TopicPartition, committed: Committed | None) -> Progress | None:
    """The progress beside a committed offset; None without one that a worker wrote."""
    try:
        return None if committed is None else progress_of(source, committed, "")
    except OffsetsMissing:
        return None


def start_positions(
    service: Service, topics: Mapping[str, TopicInfo], starts: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Committed]:
    """Positions at the beginning of a new line of state, whose generation no store has yet."""
    generation = uuid.uuid4().hex
    return {
        source: Committed(
            start,
            Progress(
                generation=generation,
                versions=service.versions_of(source.topic),
                topic_id=topics[source.topic].topic_id,
                origin=start,
                partitions=topics[source.topic].partitions,
            ).text(),
        )
        for source, start in starts.items()
    }
