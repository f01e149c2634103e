"""A topic as it is declared: what it holds, how its records are keyed, how long they stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from streams.errors import ConfigurationError

PAIR = "pair"
"""The key of two ids in numeric order."""

_LEGAL_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Kind(StrEnum):
    """What the records of a topic are."""

    EVENTS = "events"
    FACTS = "facts"
    RESULTS = "results"
    EFFECTS = "effects"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One declared topic; `keys` maps each type's full name to the fields that make its key.

    `partition_by` is empty where the key picks the partition. `retention` None = for ever.
    `upserts` names the types of a facts topic that are upserts.
    """

    name: str
    kind: Kind
    partitions: int
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_pair: bool = False
    partition_by: tuple[str, ...] = ()
    upserts: frozenset[str] = frozenset()
    retention: timedelta | None = None
    tick_interval_s: float | None = None

    def __post_init__(self) -> None:
        if not _LEGAL_NAME.fullmatch(self.name) or self.name in {".", ".."}:
            raise ConfigurationError(
                f"found the topic name {self.name!r}, wanted at most 249 letters, digits, "
                "'.', '_' and '-'"
            )
        if self.partitions < 1:
            raise ConfigurationError(
                f"{self.name}: found {self.partitions} partitions, wanted at least 1"
            )
        if self.is_compacted and self.retention is not None:
            raise ConfigurationError(
                f'{self.name}: found a finite retention, wanted retention = "forever": a results '
                "topic is compacted"
            )

    @property
    def types(self) -> tuple[str, ...]:
        """Full names of the types on this topic, in the order of their declaration."""
        return tuple(self.keys)

    @property
    def key(self) -> str:
        """What the key is made of, for people: a field, fields joined by `:`, or `pair`."""
        if self.is_pair or not self.keys:
            return PAIR if self.is_pair else ""
        return ":".join(next(iter(self.keys.values())))

    @property
    def is_emitted(self) -> bool:
        """Whether programs emit to it; folds alone write what is no event."""
        return self.kind is Kind.EVENTS

    @property
    def is_compacted(self) -> bool:
        """Whether only the last record of a key stays."""
        return self.kind is Kind.RESULTS

    def subject(self, type_name: str) -> str:
        """The registry's subject of a type on this topic (TopicRecordNameStrategy)."""
        return f"{self.name}-{type_name}"
