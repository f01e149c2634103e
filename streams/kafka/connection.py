"""Everything the engine asks of a log, on a Kafka cluster."""

from __future__ import annotations

from streams.clock import Deadline
from streams.kafka.admin import KafkaAdmin
from streams.kafka.consumer import KafkaConsumer
from streams.kafka.reader import KafkaReader
from streams.kafka.transaction import KafkaTransactions
from streams.settings import KafkaSettings, WorkerSettings


class KafkaLog:
    """Implements the `Log` port."""

    def __init__(self, settings: KafkaSettings, worker: WorkerSettings) -> None:
        self._settings = settings
        self._worker = worker

    def consumer(self, group: str) -> KafkaConsumer:
        """A member-to-be of a group."""
        return KafkaConsumer(self._settings, group, self._worker)

    def transactions(self, transactional_id: str, deadline: Deadline) -> KafkaTransactions:
        """A producer that fences every older one with its id."""
        return KafkaTransactions(self._settings, transactional_id, self._worker, deadline)

    def reader(self) -> KafkaReader:
        """A reader of committed records."""
        return KafkaReader(self._settings)

    def admin(self) -> KafkaAdmin:
        """Questions about topics and groups."""
        return KafkaAdmin(self._settings)
