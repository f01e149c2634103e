"""Results by key, straight from their topic: `Results("counters.photos").get(5)`.

For scripts, tests and the command line. It reads the topic once and then only what is new, keeps
bytes and decodes what is asked for.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import chain, islice
from typing import Any, Final, NamedTuple, Self

import msgspec

from streams.avro.codec import Codec
from streams.avro.limits import Limits
from streams.errors import InputError, NotFound, Undecodable
from streams.events.message import Message
from streams.kafka.connection import KafkaLog
from streams.ports.log import Log
from streams.settings import KafkaSettings, WorkerSettings
from streams.topics.catalog import Catalog
from streams.topics.keys import Key, key_text
from streams.topics.partitioner import partition_of
from streams.topics.topic import Kind, Topic
from streams.views.latest import Latest, LatestValues, Progress, unheard

_DECODED_AT_ONCE: Final = 10_000

_LONG: Final = re.compile("0|-?[1-9][0-9]{0,18}")


class Row(NamedTuple):
    """A key's newest result and where it stands in the topic."""

    key: Key
    message: Message
    partition: int
    offset: int


class Results:
    """The newest result of each key of a results topic, as committed at each call.

    One thread owns it. Raises NotFound for a topic that holds no results, BrokerUnavailable when
    Kafka does not answer.
    """

    def __init__(
        self,
        topic: str,
        kafka: KafkaSettings | None = None,
        *,
        catalog: Catalog | None = None,
        log: Log | None = None,
    ) -> None:
        self._catalog = catalog or Catalog.find()
        self._topic = _results_topic(self._catalog, topic)
        (self._type,) = self._catalog.types_of(topic)
        log = log or KafkaLog(kafka or KafkaSettings(), WorkerSettings())
        self._reader, self._admin = log.reader(), log.admin()
        self._latest = LatestValues(topic, self._reader, self._admin)
        self._codec = Codec(self._catalog.registry, {self._type.avro_name: self._type}, Limits())

    def get(self, key: Key) -> Message | None:
        """The result of one key: `5`, `"5"`, `"3:9"` or `(3, 9)`; None when it has none.

        InputError for what no key of this topic can be.
        """
        row = self.row(key)
        return row.message if row else None

    def row(self, key: Key) -> Row | None:
        """The same with its place in the topic. Reads only the partition of the key."""
        text = self._text(key)
        for partition in self._partitions_of(text):
            latest = self._latest.get(partition, text.encode())
            if latest is not None:
                return next(self._decoded([(partition, text.encode(), latest)]))
        return None

    def items(self) -> Iterator[tuple[Key, Message]]:
        """Key and newest result of every key that has one, in no particular order."""
        return ((row.key, row.message) for row in self.rows())

    def rows(self, on_progress: Progress | None = None) -> Iterator[Row]:
        """The same with their places in the topic; what is read, is read before this returns."""
        found = self._latest.items(range(self._partitions), on_progress or unheard)
        chunks = iter(lambda: list(islice(found, _DECODED_AT_ONCE)), [])
        return chain.from_iterable(map(self._decoded, chunks))

    def top(
        self, field: str, n: int = 10, on_progress: Progress | None = None
    ) -> list[tuple[Key, Message]]:
        """The `n` keys with the highest numbers in a field; equal numbers by ascending key."""
        self._check_field(field)

        def rank(item: tuple[Key, Message]) -> tuple[Any, Key]:
            return -getattr(item[1], field), item[0]

        items = ((row.key, row.message) for row in self.rows(on_progress))
        numbered = (item for item in items if getattr(item[1], field) is not None)
        return heapq.nsmallest(n, numbered, key=rank)

    def close(self) -> None:
        """Release the connections; closing twice is fine."""
        self._reader.close()
        self._admin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    @cached_property
    def _partitions(self) -> int:
        """How many the broker has; the declaration may be newer."""
        name = self._topic.name
        found = self._admin.topics([name])
        if name not in found:
            raise NotFound(f"{name} is declared but not on the broker; run `streams topics apply`")
        return found[name].partitions

    def _partitions_of(self, text: str) -> range | tuple[int, ...]:
        """Where a key is: one partition, or any if its text does not tell."""
        fields = self._topic.keys[self._type.avro_name]
        parts = dict(zip(fields, text.split(":", len(fields) - 1), strict=True))
        by = self._topic.partition_by or fields
        if not set(by) <= set(fields):
            return range(self._partitions)
        routing = ":".join(parts[name] for name in by)
        return (partition_of(routing.encode(), self._partitions),)

    def _text(self, key: Key) -> str:
        """A key's text as records carry it; a pair in numeric order."""
        fields = self._topic.keys[self._type.avro_name]
        text = key_text(key)
        parts = text.split(":", len(fields) - 1) if _is_of_key_type(key, len(fields)) else []
        are_numbers = [_is_number(self._type, name) for name in fields]
        is_key = len(parts) == len(fields) and all(
            _is_long(part) for part, is_number in zip(parts, are_numbers, strict=True) if is_number
        )
        if not is_key:
            raise InputError(self._no_key(text, dict(zip(fields, are_numbers, strict=True))))
        if self._topic.is_pair:
            parts.sort(key=int)
        return ":".join(parts)

    def _no_key(self, text: str, are_numbers: dict[str, bool]) -> str:
        """What to tell of a text that is no key of this topic."""
        examples = (
            str(number) if is_number else "ann"
            for number, is_number in enumerate(are_numbers.values(), start=5)
        )
        kind = "a whole number " if len(are_numbers) == 1 else "whole numbers "
        return (
            f"found the key {text!r}, wanted {':'.join(are_numbers)} for {self._topic.name}, "
            f"{kind if all(are_numbers.values()) else ''}such as {':'.join(examples)}"
        )

    def _decoded(self, found: list[tuple[int, bytes, Latest]]) -> Iterator[Row]:
        messages = self._codec.decode_many([latest.value for _, _, latest in found])
        key_of = self._catalog.key_of(self._type)
        for (partition, key, latest), message in zip(found, messages, strict=True):
            if not isinstance(message, self._type):
                reason = message or f"not a {self._type.avro_name}"
                where = f"{self._topic.name}/{partition}/{latest.offset}"
                raise Undecodable("result", f"{where} (key {key!r}): {reason}")
            yield Row(key_of(message), message, partition, latest.offset)

    def _check_field(self, field: str) -> None:
        names = _numbers(self._type)
        if field not in names:
            raise InputError(
                f"found the field {field!r}, wanted a number of {self._type.avro_name}: "
                f"{', '.join(names)}"
            )


def _results_topic(catalog: Catalog, name: str) -> Topic:
    topic = catalog.topics.get(name)
    if topic is None or topic.kind is not Kind.RESULTS:
        names = [one.name for one in catalog.topics.values() if one.kind is Kind.RESULTS]
        raise NotFound(
            f"found no results topic {name!r}, wanted one of: {', '.join(names) or 'none declared'}"
        )
    return topic


def _is_number(message_type: type[Message], field: str) -> bool:
    types = {one.name: one.type for one in msgspec.structs.fields(message_type)}
    return types[field] is int


def _is_of_key_type(key: object, count: int) -> bool:
    """Whether something may be a key of `count` fields; a bool is no number here."""
    parts = key if isinstance(key, tuple) else (key,)
    are_parts = all(type(part) in (int, str) for part in parts)
    return are_parts and (len(parts) == count or isinstance(key, str))


def _is_long(text: str) -> bool:
    """Whether a text is how a record's key writes a number of 64 bits."""
    return _LONG.fullmatch(text) is not None and -(1 << 63) <= int(text) < 1 << 63


def _numbers(message_type: type[Message]) -> list[str]:
    """Names of the fields that can be ranked."""
    wanted: tuple[Any, ...] = (int, float, int | None, float | None)
    return [one.name for one in msgspec.structs.fields(message_type) if one.type in wanted]
