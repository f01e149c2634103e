# /// script
# requires-python = ">=3.11"
# dependencies = ["apache-flink==2.3.0", "fastavro==1.13.1"]
# ///
"""PyFlink 2.3.0, exactly-once: keyed state, checkpoints, Flink's Kafka connector 5.0.0-2.2.

Records come and go as raw bytes through the connector's tables, and are folded by a Python process
function. Avro is read and written by fastavro 1.13.1 in there. Each changed count is written at
once, and committed with the next checkpoint. `end` comes when the job has finished: a bounded
source ends with a last checkpoint. One JVM with one slot, and the Python process it starts, so
measure the children, too. `FLINK_KAFKA_JAR` names the connector's jar.

Settings: `commit_interval_ms` (1000: between checkpoints, of which Flink makes none unless told),
`options` (Flink's own, by their names: `{"python.execution-mode": "thread"}`, or
`{"state.backend.type": "rocksdb"}`; its defaults are a process and `hashmap`).
"""

from __future__ import annotations

import os
import site
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader
from job import Job, ResultEncoder, ended, started
from pyflink.common import Configuration, Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor
from pyflink.table import StreamTableEnvironment

TRANSACTION_TIMEOUT_MS = 600_000  # Kafka allows 15 minutes; the connector would ask for an hour
BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
RECORD = Types.ROW_NAMED(["key", "value"], [BYTES, BYTES])


class Fold(KeyedProcessFunction):
    """What both jobs share: reading a record, and counting on. Runs where Flink puts it."""

    def __init__(self, job: Job, first: str) -> None:
        self._job = job
        self._first = first
        self._has_begun = False

    def open(self, context: RuntimeContext) -> None:
        self._kinds = self._job.kinds()
        self._results = ResultEncoder(self._job)
        self._count = context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, record: Row, _context: Any) -> Iterator[Row]:
        if not self._has_begun:
            self._has_begun = True
            os.close(os.open(self._first, os.O_WRONLY))  # to open it is the message
        key, value = record
        schema, is_like = self._kinds[value[:5]]
        event = schemaless_reader(BytesIO(value[5:]), schema)
        change = self.change(is_like, event["user_id"])
        if change:
            count = (self._count.value() or 0) + change
            self._count.update(count)
            yield Row(key, self._results.encode(event["photo_id"], count))

    def change(self, is_like: bool, user_id: int) -> int:
        """By how much the photo's count changes."""
        raise NotImplementedError


class Records(Fold):
    """Counts the records of each photo."""

    def change(self, is_like: bool, user_id: int) -> int:
        return 1


class Likes(Fold):
    """Counts the users who like each photo."""

    def open(self, context: RuntimeContext) -> None:
        super().open(context)
        users = MapStateDescriptor("users", Types.LONG(), Types.BOOLEAN())
        self._users = context.get_map_state(users)

    def change(self, is_like: bool, user_id: int) -> int:
        if is_like == self._users.contains(user_id):
            return 0
        if is_like:
            self._users.put(user_id, True)
            return 1
        self._users.remove(user_id)
        return -1


def run(job: Job) -> None:
    first = os.path.join(job.state, "first-record")
    os.mkfifo(first)
    os.environ.update(_variables(job))
    environment = _environment(job)
    tables = StreamTableEnvironment.create(environment)
    tables.execute_sql(_source(job))
    tables.execute_sql(_into(job))
    fold = (Likes if job.job == "members" else Records)(job, first)
    records = tables.to_data_stream(tables.from_path("source"))
    by_photo = records.key_by(lambda record: int(record[0]), key_type=Types.LONG())
    results = tables.from_data_stream(by_photo.process(fold, output_type=RECORD))
    threading.Thread(target=_announce, args=[first], daemon=True).start()
    results.execute_insert("result").wait()
    ended()


def _announce(first: str) -> None:
    """Say `start` when the fold opens the pipe: it runs in another process than this."""
    with open(first) as pipe:
        pipe.read()
    started()


def _variables(job: Job) -> dict[str, str]:
    """What Flink's own start script for the JVM reads."""
    return {
        "JVM_ARGS": "-Xmx2g",
        "FLINK_LOG_DIR": job.state,
        # For an interpreter inside the JVM (the mode `thread`), which knows no environment.
        "PYTHONPATH": os.pathsep.join([*site.getsitepackages(), sys.path[0]]),
    }


def _environment(job: Job) -> StreamExecutionEnvironment:
    config = Configuration()
    config.set_string("pipeline.jars", f"file://{os.environ['FLINK_KAFKA_JAR']}")
    config.set_string("python.executable", sys.executable)
    config.set_string("python.client.executable", sys.executable)
    config.set_string("parallelism.default", "1")
    config.set_string("restart-strategy.type", "none")  # an error is to end the program
    for name, value in job.settings["options"].items():
        config.set_string(name, str(value))
    environment = StreamExecutionEnvironment.get_execution_environment(config)
    environment.enable_checkpointing(job.settings["commit_interval_ms"])
    return environment


def _source(job: Job) -> str:
    return _table(
        "source",
        job,
        {
            "topic": job.source,
            "properties.group.id": job.group,
            "scan.startup.mode": "earliest-offset",
            "scan.bounded.mode": "latest-offset",
        },
    )


def _into(job: Job) -> str:
    return _table(
        "result",
        job,
        {
            "topic": job.into,
            "sink.delivery-guarantee": "exactly-once",
            "sink.transactional-id-prefix": job.group,
            "properties.transaction.timeout.ms": str(TRANSACTION_TIMEOUT_MS),
        },
    )


def _table(name: str, job: Job, options: dict[str, str]) -> str:
    """A table of raw keys and values on a topic, in SQL."""
    given = {
        "connector": "kafka",
        "properties.bootstrap.servers": job.bootstrap,
        "key.format": "raw",
        "key.fields": "key",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
    } | options
    text = ", ".join(f"'{option}' = '{value}'" for option, value in given.items())
    return f"CREATE TABLE `{name}` (`key` BYTES, `value` BYTES) WITH ({text})"


if __name__ == "__main__":
    settings = {"commit_interval_ms": 1_000, "options": {}}
    run(Job.from_command_line("members", "count", settings=settings))
