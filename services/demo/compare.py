"""Every counter on the results topics against its recount."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from streams.settings import KafkaSettings
from streams.views.results import Results

Row = dict[str, Any]
Rows = Mapping[Any, Row]

_NOT_COUNTS: Final = frozenset({"photo_id", "owner_id", "user_id", "conversation_id", "deleted"})
_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many counters were compared, which fields are wrong, and the first of them in words."""

    counters: int
    wrong: int
    examples: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether nothing is wrong and something was compared."""
        return self.counters > 0 and self.wrong == 0

    def line(self, events: int) -> str:
        """The result in one line."""
        return f"{events:,} events · {self.counters:,} counters · {self.wrong:,} wrong"


def compare(expected: Mapping[str, Rows], found: Mapping[str, Rows]) -> Comparison:
    """Field by field, over every row that is expected or found; a missing row is all wrong."""
    counters, differences = 0, []
    for topic in expected.keys() | found.keys():
        wanted, got = expected.get(topic, {}), found.get(topic, {})
        for key in wanted.keys() | got.keys():
            row, other = wanted.get(key, {}), got.get(key, {})
            counters += sum(name not in _NOT_COUNTS for name in row | other)
            differences += [
                f"{topic} {key}: {name} is {other.get(name)}, wanted {row.get(name)}"
                for name in row | other
                if row.get(name) != other.get(name)
            ]
    return Comparison(counters, len(differences), tuple(sorted(differences)[:_EXAMPLES]))


def published(topics: Iterable[str], kafka: KafkaSettings) -> dict[str, Rows]:
    """The newest result of every key of each topic, as fields by name."""
    found: dict[str, Rows] = {}
    for topic in topics:
        with Results(topic, kafka) as results:
            found[topic] = {key: msgspec.structs.asdict(one) for key, one in results.items()}
    return found
