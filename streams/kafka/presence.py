"""Whether subscribed topics exist, asked now and then."""

from __future__ import annotations

from collections.abc import Collection

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException

from streams.clock import Deadline

_PAUSE_S = 2.0
_TIMEOUT_S = 1.0


class Presence:
    """Asks the brokers at most every two seconds. Owned by the consumer's thread."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._next = Deadline.after(_PAUSE_S)
        self._suspect: str | None = None

    def missing(self, names: Collection[str]) -> str | None:
        """A topic that was missing twice in a row: a new one may not be known everywhere yet."""
        if not names or not self._next.is_over:
            return None
        self._next = Deadline.after(_PAUSE_S)
        before, self._suspect = self._suspect, self._first_missing(names)
        return self._suspect if self._suspect == before else None

    def _first_missing(self, names: Collection[str]) -> str | None:
        for name in names:
            try:
                found = self._client.list_topics(name, timeout=_TIMEOUT_S).topics[name]
            except KafkaException:
                return None  # no broker answers: nothing is known, and the client says so elsewhere
            if found.error is not None and found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return name
        return None
