# /// script
# requires-python = ">=3.11"
# dependencies = ["bytewax==0.21.1", "confluent-kafka==2.16.0", "fastavro==1.13.1"]
# ///
"""Bytewax 0.21.1, one worker: stateful steps, snapshots in SQLite, confluent-kafka 2.16.0.

It cannot do the jobs exactly once: its Kafka sink knows no transactions, so what was written after
the last snapshot is written again after a crash. It refuses unless `guarantee` says
`at_least_once`, and such a rate is told under that name only. `end` comes when the flow has reached
the end of the source and its last snapshot is written; its offsets are in there, not in Kafka. Each
changed count is written at once.

Settings: `guarantee` (exactly_once; only `at_least_once` is possible), `snapshot_interval_ms`
(10000, its default), `batch` (1000, its default: most records a read), `backoff_ms` (librdkafka's
`fetch.queue.backoff.ms`; null leaves its default of 1000, and 5 is tuned).
"""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from fastavro import schemaless_reader
from job import Job, ResultEncoder, ended, refuse, started

SINK_CONFIG = {
    "enable.idempotence": "true",
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
}

Keyed = tuple[str, tuple[bool, int, int]]


class Program:
    """Runs one flow from the beginning of the source to its end."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kinds = job.kinds()
        self._results = ResultEncoder(job)
        self._seen = 0

    def run(self) -> None:
        init_db_dir(Path(self._job.state), 1)
        interval = timedelta(milliseconds=self._job.settings["snapshot_interval_ms"])
        recovery = RecoveryConfig(self._job.state)
        cli_main(self._flow(), epoch_interval=interval, recovery_config=recovery)
        if self._seen != self._job.events:
            raise SystemExit(f"read {self._seen} records, wanted {self._job.events}")
        ended(outputs=self._results.outputs, guarantee="at_least_once")

    def _flow(self) -> Dataflow:
        flow = Dataflow(self._job.group)
        records = op.input("source", flow, _source(self._job))
        keyed = op.map("decode", records, self._decode)
        fold = self._members if self._job.job == "members" else self._count
        changed = op.stateful_flat_map("fold", keyed, fold)
        results = op.map("encode", changed, self._encode)
        op.output("into", results, KafkaSink([self._job.bootstrap], self._job.into, SINK_CONFIG))
        return flow

    def _decode(self, record: KafkaSourceMessage) -> Keyed:
        if not self._seen:
            started()
        self._seen += 1
        value = record.value
        schema, is_like = self._kinds[value[:5]]
        event = schemaless_reader(BytesIO(value[5:]), schema)
        return record.key.decode(), (is_like, event["photo_id"], event["user_id"])

    def _members(self, users: set[int] | None, event: tuple[bool, int, int]) -> tuple[set, Any]:
        is_like, photo_id, user_id = event
        users = set() if users is None else users
        if is_like == (user_id in users):
            return users, ()
        (users.add if is_like else users.remove)(user_id)
        return users, ((photo_id, len(users)),)

    def _count(self, records: int | None, event: tuple[bool, int, int]) -> tuple[int, Any]:
        records = (records or 0) + 1
        return records, ((event[1], records),)

    def _encode(self, changed: tuple[str, tuple[int, int]]) -> KafkaSinkMessage[bytes, bytes]:
        key, (photo_id, likes) = changed
        return KafkaSinkMessage(key.encode(), self._results.encode(photo_id, likes))


def _source(job: Job) -> KafkaSource:
    backoff_ms = job.settings["backoff_ms"]
    tuned = {} if backoff_ms is None else {"fetch.queue.backoff.ms": str(backoff_ms)}
    return KafkaSource(
        [job.bootstrap],
        [job.source],
        tail=False,
        add_config=tuned,
        batch_size=job.settings["batch"],
    )


if __name__ == "__main__":
    settings = {
        "guarantee": "exactly_once",
        "snapshot_interval_ms": 10_000,
        "batch": 1_000,
        "backoff_ms": None,
    }
    job = Job.from_command_line("members", "count", settings=settings)
    if job.settings["guarantee"] != "at_least_once":
        refuse("cannot write exactly once, only with the guarantee 'at_least_once'")
    Program(job).run()
