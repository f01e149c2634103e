"""The topic `<service>.decisions`, followed by a worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.clock import Deadline
from streams.engine.decisions import (
    ASKED,
    PARTITION,
    Decision,
    PartitionDecisions,
    decision_of,
)
from streams.errors import BrokerUnavailable, StreamsError
from streams.ports.log import LogAdmin, LogReader
from streams.ports.records import Record, TopicPartition

_LOOK_AGAIN_S = 0.005


class DecisionLog:
    """The decisions topic as far as it was read. Owned by the worker's thread."""

    def __init__(self, topic: str, admin: LogAdmin, reader: LogReader) -> None:
        self._where = TopicPartition(topic, PARTITION)
        self._admin = admin
        self._reader = reader
        self._records: Iterator[Record | None] | None = None
        self._asked: list[Decision] = []
        self._found: dict[tuple[TopicPartition, str], PartitionDecisions] = {}

    def of(
        self, topic_ids: Mapping[TopicPartition, str], deadline: Deadline
    ) -> dict[TopicPartition, PartitionDecisions]:
        """What was decided about each partition, including what its last owner wrote just before.

        Decisions about a topic of the same name that was deleted since are left out.

        The last owner's transaction is decided, but its marker may not yet stand in the decisions
        topic: so this waits until everything written there is committed or aborted.
        """
        end = self._admin.ends([self._where], committed=False)[self._where]
        self._read_on()
        while self._reader.position(self._where) < end:
            if deadline.is_over:
                raise BrokerUnavailable(
                    f"{self._where}: a transaction stays open before offset {end}; `streams "
                    "doctor` tells what holds it"
                )
            deadline.pause(_LOOK_AGAIN_S)
            self._read_on()
        # What was asked about these is in what they get, and may be answered behind it already.
        self._asked = [one for one in self._asked if one.source not in topic_ids]
        nothing = PartitionDecisions()
        return {one[0]: self._found.get(one, nothing).copy() for one in topic_ids.items()}

    def asked(self) -> list[Decision]:
        """What people asked for since the last look, without a wait; nothing before `of`."""
        if self._records is not None:
            self._read_on()
        asked, self._asked = self._asked, []
        return asked

    def _read_on(self) -> None:
        if self._records is None:
            self._records = self._reader.follow({self._where: 0}, 0.0)
        try:
            self._add_all(self._records)
        except StreamsError:
            self._records = None  # a generator that raised brings nothing more
            self._found.clear()
            raise

    def _add_all(self, records: Iterator[Record | None]) -> None:
        for record in records:
            if record is None:
                return
            decision = decision_of(record)
            about = (decision.source, decision.topic_id)
            self._found.setdefault(about, PartitionDecisions()).add(decision)
            if decision.kind in ASKED:
                self._asked.append(decision)
