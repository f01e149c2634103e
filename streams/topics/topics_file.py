"""Reads `topics.toml` into declared topics."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from streams.errors import ConfigurationError
from streams.topics.topic import PAIR, Kind, Topic

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["events", "facts", "results", "effects"]
    key: str | list[str]
    partitions: int
    retention: str
    events: list[str] | dict[str, list[str]] = []
    upserts: list[str] = []
    results: list[str] = []
    effects: list[str] = []
    partition_by: str | list[str] = []
    tick_interval_s: float | None = None

    def lists(self) -> dict[str, list[str] | dict[str, list[str]]]:
        """The lists of types that are not empty, by their name in the file."""
        lists = {
            "events": self.events, "upserts": self.upserts,
            "results": self.results, "effects": self.effects,
        }  # fmt: skip
        return {name: types for name, types in lists.items() if types}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    topics: dict[str, Any] = {}


_LISTS = {
    Kind.EVENTS: {"events"},
    Kind.FACTS: {"events", "upserts"},
    Kind.RESULTS: {"results"},
    Kind.EFFECTS: {"effects"},
}
"""Which lists of types a topic of each kind may have."""


def load_topics(file: Path, names: Collection[str]) -> dict[str, Topic]:
    """Topics by name, in the order of `file`; `names` are the full names of all types."""
    try:
        return parse_topics(file.read_text(encoding="utf-8"), names, str(file))
    except FileNotFoundError:
        raise ConfigurationError(
            f"found no {file}, wanted the file that declares the topics; `streams schemas init` "
            "writes one"
        ) from None


def parse_topics(text: str, names: Collection[str], source: str) -> dict[str, Topic]:
    """Topics by name; `names` are the full names of all types, `source` the file, for errors."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise ConfigurationError(f"{source}: {exc}") from exc
    try:
        return {name: _topic(name, table, names) for name, table in file.topics.items()}
    except ConfigurationError as exc:
        raise ConfigurationError(f"{source}: {exc}") from None


def _topic(name: str, table: object, names: Collection[str]) -> Topic:
    try:
        entry = msgspec.convert(table, _Entry)
    except msgspec.ValidationError as exc:
        raise ConfigurationError(f"{name}: {exc}") from exc
    kind = Kind(entry.kind)
    lists = entry.lists()
    for wrong in lists.keys() - _LISTS[kind]:
        wanted = " and ".join(sorted(_LISTS[kind]))
        raise ConfigurationError(
            f"{name}: found {wrong} on a topic of kind {kind}, wanted {wanted}"
        )
    keys = {
        _full(one, name, names): fields
        for types in lists.values()
        for one, fields in _key_fields(name, entry.key, types).items()
    }
    if len(keys) < sum(map(len, lists.values())):
        raise ConfigurationError(f"{name}: found a type in two of its lists, wanted each once")
    if not keys or (kind is Kind.RESULTS and len(keys) != 1):
        wanted = "one type" if kind is Kind.RESULTS else "at least one type"
        raise ConfigurationError(f"{name}: found {len(keys)} types, wanted {wanted}")
    return Topic(
        name=name,
        kind=kind,
        partitions=entry.partitions,
        keys=keys,
        is_pair=entry.key == PAIR,
        partition_by=_fields(entry.partition_by),
        upserts=frozenset(_full(one, name, names) for one in entry.upserts),
        retention=_retention(name, entry.retention),
        tick_interval_s=entry.tick_interval_s,
    )


def _key_fields(
    topic: str, key: str | list[str], types: list[str] | dict[str, list[str]]
) -> Mapping[str, tuple[str, ...]]:
    """The key's fields of each type: named once for all, or beside each type of a pair."""
    is_pair = key == PAIR
    if isinstance(types, dict) != is_pair:
        wanted = '{Type = [field, field], …} because key = "pair"' if is_pair else "a list of types"
        raise ConfigurationError(f"{topic}: found {types!r}, wanted {wanted}")
    if isinstance(types, dict):
        return {one: tuple(fields) for one, fields in types.items()}
    return dict.fromkeys(types, _fields(key))


def _fields(text: str | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _full(name: str, topic: str, names: Collection[str]) -> str:
    """The full name of a type; a bare one may be of any area, the topic's own first."""
    found = [one for one in names if name in (one, one.rpartition(".")[2])]
    own = f"{topic.partition('.')[0]}.{name}"
    if own in found:
        return own
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"{topic}: found {name}, wanted the full name: {' or '.join(sorted(found))}"
        )
    raise ConfigurationError(
        f"{topic}: found {name}, but no schema has that name; add its .avsc file and run "
        "`streams schemas generate`, or remove it"
    )


def _retention(topic: str, text: str) -> timedelta | None:
    if text == "forever":
        return None
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise ConfigurationError(
            f'{topic}: found retention {text!r}, wanted "forever" or a number and one of s, m, h, '
            'd, such as "90d"'
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
