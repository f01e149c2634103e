"""A real broker behind the same methods as `InMemoryLog`, so that one suite runs over both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack

from confluent_kafka import Message, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from streams.clock import Deadline
from streams.kafka.admin import KafkaAdmin
from streams.kafka.config import base_config, physical
from streams.kafka.consumer import KafkaConsumer, Member
from streams.kafka.message import record_of
from streams.kafka.reader import KafkaReader
from streams.kafka.transaction import KafkaTransactions
from streams.ports.log import TransactionalProducer
from streams.ports.records import Committed, Outgoing, Record, TopicPartition
from streams.settings import KafkaSettings, WorkerSettings

WAIT_S = 30.0
TRANSACTION_TIMEOUT_S = 10.0  # what can only fail by time fails after four fifths of it


class KafkaLog:
    """Topics, groups and transactions in one namespace of a broker; used with `with`."""

    def __init__(self, settings: KafkaSettings, group_protocol: str) -> None:
        self.settings = settings
        self.worker = WorkerSettings(
            group_protocol=group_protocol, transaction_timeout_s=TRANSACTION_TIMEOUT_S
        )
        self._producer = Producer(
            base_config(settings) | {"enable.idempotence": True, "partitioner": "murmur2_random"}
        )
        self._admin = KafkaAdmin(settings)
        self._client = AdminClient(base_config(settings))
        self._to_close = ExitStack()

    def __enter__(self) -> KafkaLog:
        return self

    def __exit__(self, *exc: object) -> None:
        self._to_close.close()

    def consumer(self, group: str) -> KafkaConsumer:
        consumer = KafkaConsumer(self.settings, group, self.worker)
        self._to_close.callback(consumer.close)
        return consumer

    def transactions(self, transactional_id: str) -> TransactionalProducer:
        producer = KafkaTransactions(
            self.settings, transactional_id, self.worker, Deadline.after(WAIT_S)
        )
        self._to_close.callback(producer.discard)
        return producer

    def reader(self) -> KafkaReader:
        reader = KafkaReader(self.settings)
        self._to_close.callback(reader.close)
        return reader

    def admin(self) -> KafkaAdmin:
        return KafkaAdmin(self.settings, timeout_s=2)

    def create_topic(self, name: str, partitions: int) -> None:
        self._admin.create_topic(name, partitions, {})

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> Record:
        delivered: list[Message] = []
        self._producer.produce(
            physical(self.settings, topic),
            value,
            key,
            -1 if partition is None else partition,
            on_delivery=lambda error, message: delivered.append(message),
            headers=list(headers),
        )
        assert self._producer.flush(WAIT_S) == 0
        assert delivered[0].error() is None
        return record_of(TopicPartition(topic, delivered[0].partition()), delivered[0])

    def records(self, topic: str, *, committed: bool = True) -> list[Record]:
        found = self._admin.topics([topic])[topic]
        starts = {TopicPartition(topic, number): 0 for number in range(found.partitions)}
        reader = KafkaReader(self.settings, is_committed_only=committed)
        try:
            records = list(reader.read(starts, Deadline.after(WAIT_S)))
        finally:
            reader.close()
        return sorted(records, key=lambda record: (record.partition, record.offset))

    def leave_open(
        self,
        transactional_id: str,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: Member,
    ) -> None:
        """A transaction whose producer dies before it ends."""
        producer = Producer(
            base_config(self.settings)
            | {"transactional.id": physical(self.settings, transactional_id)}
        )
        producer.init_transactions(WAIT_S)
        producer.begin_transaction()
        for output in outputs:
            producer.produce(
                physical(self.settings, output.topic),
                output.value,
                output.key,
                output.partition or 0,
            )
        assert producer.flush(WAIT_S) == 0
        places = [
            Place(physical(self.settings, one.topic), one.partition, at.offset, at.metadata)
            for one, at in positions.items()
        ]
        if places:
            producer.send_offsets_to_transaction(places, member.metadata, WAIT_S)
        producer.purge()

    def delete_records(self, partition: TopicPartition, before: int) -> None:
        place = Place(physical(self.settings, partition.topic), partition.partition, before)
        for future in self._client.delete_records([place]).values():
            future.result(WAIT_S)

    def delete_topic(self, name: str) -> None:
        for future in self._client.delete_topics([physical(self.settings, name)]).values():
            future.result(WAIT_S)

    def recreate_topic(self, name: str) -> None:
        partitions = self._admin.topics([name])[name].partitions
        self.delete_topic(name)
        self.create_topic(name, partitions)
