"""Who watches while a trial runs: a reader of everything, a sampler of positions, a client.

Each has a thread of its own, and goes on whatever breaks; what it could not see it does not claim.
"""

from __future__ import annotations

import threading
import zlib
from collections import defaultdict
from collections.abc import Collection
from itertools import cycle
from typing import Self

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import TopicPartition as Place

from streams.clock import Deadline
from streams.errors import StreamsError, Unavailable
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.ports.records import Position, Record, TopicPartition
from streams.settings import KafkaSettings
from streams.views.results import Results
from tests.faults.checker.evidence import Glance, Got, Sample
from tests.faults.fleet import Fleet
from tests.faults.timeline import Timeline
from tests.faults.workload import CATALOG

_SAMPLE_EVERY_S = 0.5
_GET_EVERY_S = 0.25
_RETRY_S = 0.5
_ASK_S = 1.0
_JOIN_S = 60.0


class Observer:
    """A thread that calls `watch` again and again until it is left."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._errors: list[Exception] = []

    def watch(self) -> None:
        """See something; StreamsError when it cannot be seen now."""
        raise NotImplementedError

    def close(self) -> None:
        """Release what is held."""

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.watch()
            except StreamsError as exc:
                self.timeline.note("not-seen", by=type(self).__name__, why=str(exc)[:200])
                self.stopping.wait(_RETRY_S)
            except Exception as exc:
                self._errors.append(exc)
                return

    def stop(self) -> None:
        """See no more; raises what went wrong with the observer itself."""
        self.stopping.set()
        self._thread.join(_JOIN_S)
        self.close()
        if self._errors:
            raise self._errors[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stopping.set()
        self._thread.join(_JOIN_S)


class LiveTap(Observer):
    """Reads committed records of all partitions from their start on, as they come.

    `seen` holds its sessions: a new one begins where the last ended, after whatever broke it.
    `published` is, for each input, the offset after the last one that is in an output seen.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        partitions: Collection[TopicPartition],
        timeline: Timeline,
    ) -> None:
        super().__init__(timeline)
        self.seen: defaultdict[TopicPartition, list[list[Glance]]] = defaultdict(list)
        self.published: dict[TopicPartition, int] = {}
        self._kafka = kafka
        self._next = dict.fromkeys(partitions, 0)

    def watch(self) -> None:
        sessions: dict[TopicPartition, list[Glance]] = {}
        reader = KafkaReader(self._kafka)
        try:
            for record in reader.follow(self._next):
                if self.stopping.is_set():
                    return
                if record is not None:
                    self._see(record, sessions)
        finally:
            reader.close()

    def position(self, source: TopicPartition) -> int:
        """The offset after the last record seen of a partition."""
        return self._next[source]

    def _see(self, record: Record, sessions: dict[TopicPartition, list[Glance]]) -> None:
        source = TopicPartition(record.topic, record.partition)
        if source not in sessions:
            sessions[source] = []
            self.seen[source].append(sessions[source])
        sessions[source].append(Glance(record.offset, crc_of(record)))
        self._next[source] = record.offset + 1
        made_of = source_of(record)
        if made_of is not None:
            read = TopicPartition(made_of.topic, made_of.partition)
            self.published[read] = max(self.published.get(read, 0), made_of.offset + 1)


class Sampler(Observer):
    """Samples the positions that a service has committed, and the memory its workers take."""

    def __init__(
        self,
        kafka: KafkaSettings,
        fleet: Fleet,
        tap: LiveTap,
        partitions: Collection[TopicPartition],
        timeline: Timeline,
    ) -> None:
        super().__init__(timeline)
        self.samples: list[Sample] = []
        self.highest_rss_bytes = 0
        self._fleet = fleet
        self._tap = tap
        self._namespace = kafka.namespace
        self._places = [Place(kafka.namespace + one.topic, one.partition) for one in partitions]
        self._turn = cycle(partitions)
        self._admin = KafkaAdmin(kafka, timeout_s=_ASK_S)
        self._hasty = Consumer(
            {
                "bootstrap.servers": kafka.bootstrap_servers,
                "group.id": kafka.namespace + fleet.service,
                "isolation.level": "read_uncommitted",
                "enable.auto.commit": False,
                "log_level": 2,
            }
        )

    def watch(self) -> None:
        self.highest_rss_bytes = max(self.highest_rss_bytes, self._fleet.largest_rss_bytes)
        self._look()
        self._look_closely(next(self._turn))
        self.stopping.wait(_SAMPLE_EVERY_S)

    def _look(self) -> None:
        """All positions as they are told at once: without those that a transaction may yet move."""
        try:
            found = self._hasty.committed(self._places, _ASK_S)
        except KafkaException:
            return
        for one in found:
            if one.error is None and one.offset >= 0:
                source = TopicPartition(one.topic.removeprefix(self._namespace), one.partition)
                end = self._tap.position(source)
                self.samples.append(Sample(self.timeline.at_s, source, one.offset, end=end))

    def _look_closely(self, source: TopicPartition) -> None:
        """One position when no transaction holds it, against the outputs seen before it was asked.

        Its transaction's marker may stand in the outputs already, and not yet beside the position.
        """
        published = self._tap.published.get(source, 0)
        try:
            found = self._admin.group_positions(
                self._fleet.service, [source], Deadline.after(_ASK_S)
            )[source]
        except Unavailable:
            return
        if found is not None:
            self.samples.append(Sample(self.timeline.at_s, source, found.offset, published))

    def close(self) -> None:
        self._admin.close()
        self._hasty.close()


class Client(Observer):
    """Asks for the results of some keys, over and over, as a program that shows them would."""

    def __init__(
        self, kafka: KafkaSettings, topic: str, keys: Collection[int], timeline: Timeline
    ) -> None:
        super().__init__(timeline)
        self.gets: list[Got] = []
        self._topic = topic
        self._keys = list(keys)
        self._results = Results(topic, kafka, catalog=CATALOG)

    def watch(self) -> None:
        for key in self._keys:
            row = self._results.row(key)
            if row is not None:
                self.gets.append(Got(self._topic, key, row.partition, row.offset, row.message))
        self.stopping.wait(_GET_EVERY_S)

    def close(self) -> None:
        self._results.close()


def source_of(record: Record) -> Position | None:
    """What a record says it was made of."""
    text = dict(record.headers).get("source", b"").decode()
    if not text:
        return None
    topic, partition, offset = text.rsplit("/", 2)
    return Position(topic, int(partition), int(offset))


def crc_of(record: Record) -> int:
    """Key, value and headers of a record as a number."""
    headers = b"".join(name.encode() + b"=" + (value or b"") for name, value in record.headers)
    return zlib.crc32((record.key or b"") + b"|" + (record.value or b"") + b"|" + headers)
