# /// script
# requires-python = ">=3.11"
# dependencies = ["quixstreams==3.28.1", "fastavro==1.13.1"]
# ///
"""Quix Streams 3.28.1, exactly-once: its RocksDB state with changelog topics.

Avro is read and written by fastavro 1.13.1 in the function that folds, which is kinder than the
library's own serializers. Each changed count is written at once, as the library does it.

Settings: `commit_interval_ms` (5000, its default), `backoff_ms` (librdkafka's
`fetch.queue.backoff.ms`; null leaves its default of 1000, and 5 is tuned).
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from fastavro import schemaless_reader
from job import Job, ResultEncoder, ended, started
from quixstreams import Application, State


class Program:
    """Runs the library until it has committed the last record."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kinds = job.kinds()
        self._results = ResultEncoder(job)
        self._seen = 0
        self._app = _application(job)
        fold = self._members if job.job == "members" else self._count
        source = self._app.topic(job.source, key_deserializer="bytes", value_deserializer="bytes")
        into = self._app.topic(job.into, key_serializer="bytes", value_serializer="bytes")
        changes = self._app.dataframe(source).apply(fold, stateful=True)
        changes.filter(lambda value: value is not None).to_topic(into)

    def run(self) -> None:
        _after_commit(self._app, self._committed)
        self._app.run()

    def _members(self, value: bytes, state: State) -> bytes | None:
        is_like, event = self._event(value)
        user_id = event["user_id"]
        if is_like == state.exists(user_id):
            return None
        if is_like:
            state.set(user_id, 1)
        else:
            state.delete(user_id)
        likes = state.get("likes", 0) + (1 if is_like else -1)
        state.set("likes", likes)
        return self._results.encode(event["photo_id"], likes)

    def _count(self, value: bytes, state: State) -> bytes:
        _, event = self._event(value)
        records = state.get("records", 0) + 1
        state.set("records", records)
        return self._results.encode(event["photo_id"], records)

    def _event(self, value: bytes) -> tuple[bool, dict[str, Any]]:
        if not self._seen:
            started()
        self._seen += 1
        if self._seen == self._job.events:
            self._app.stop()  # ends its loop after this record, with a last commit
        schema, is_like = self._kinds[value[:5]]
        return is_like, schemaless_reader(BytesIO(value[5:]), schema)

    def _committed(self) -> None:
        if self._seen == self._job.events:
            ended(outputs=self._results.outputs)


def _after_commit(app: Application, call: Any) -> None:
    """Have `call` called when a forced commit is through.

    The library has no hook for it, and takes a while to close what it has open before `run`
    returns: that is no part of the work.
    """
    context = app._processing_context
    commit = context.commit_checkpoint

    def commit_checkpoint(force: bool = False, revoking: bool = False) -> None:
        commit(force=force, revoking=revoking)
        if force and not revoking:
            call()

    context.commit_checkpoint = commit_checkpoint


def _application(job: Job) -> Application:
    backoff_ms = job.settings["backoff_ms"]
    return Application(
        broker_address=job.bootstrap,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=job.settings["commit_interval_ms"] / 1_000,
        state_dir=job.state,
        consumer_extra_config=(
            {} if backoff_ms is None else {"fetch.queue.backoff.ms": backoff_ms}
        ),
        loglevel="WARNING",
    )


if __name__ == "__main__":
    settings = {"commit_interval_ms": 5_000, "backoff_ms": None}
    Program(Job.from_command_line("members", "count", settings=settings)).run()
