# /// script
# requires-python = ">=3.11"
# dependencies = ["faust-streaming[uvloop]==0.15.3", "aiokafka[lz4]==0.14.0", "fastavro==1.13.1"]
# ///
"""faust-streaming 0.15.3 on aiokafka 0.14.0: an agent and its tables, in memory with changelogs.

A table holds whole values, so the users who like a photo are a table of pairs: a set as the value
would be written to the changelog as a whole with each like. Avro is read and written by fastavro
1.13.1 in the agent, because the library knows none. Each changed count is written at once.

Settings: `guarantee` (`exactly_once`; or `at_least_once`, its default, which is a weaker job),
`commit_interval_ms` (2800, its default), `event_loop` (`asyncio`, its default, or `uvloop`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from io import BytesIO
from typing import Any

import faust
from aiokafka.admin import AIOKafkaAdminClient
from fastavro import schemaless_reader
from job import Job, ResultEncoder, ended, refuse, started
from mode.loop import use

PARTITIONS = 4
RAW = {
    "partitions": PARTITIONS,
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}


class Program:
    """An app with one agent, which ends when all it read is committed."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kinds = job.kinds()
        self._results = ResultEncoder(job)
        self._seen = 0
        self._ending: asyncio.Task[None] | None = None
        self._app = _app(job)
        self._into = self._app.topic(job.into, **RAW)
        self._counts = self._app.Table("counts", default=int, partitions=PARTITIONS)
        self._members = None
        if job.job == "members":
            self._members = self._app.Table("members", default=int, partitions=PARTITIONS)
        self._app.agent(self._app.topic(job.source, **RAW))(self._fold)
        self._app.monitor.on_commit_completed = self._look

    def run(self) -> None:
        # The standard output is for `start` and `end`.
        worker = faust.Worker(self._app, loglevel="warn", stdout=sys.stderr, redirect_stdouts=False)
        worker.execute_from_commandline()

    async def _fold(self, stream: faust.StreamT[bytes]) -> None:
        kinds, counts, into = self._kinds, self._counts, self._into
        async for value in stream:
            if not self._seen:
                started()
            schema, is_like = kinds[value[:5]]
            event = schemaless_reader(BytesIO(value[5:]), schema)
            change = self._change(is_like, event)
            if change:
                photo_id = event["photo_id"]
                count = counts[photo_id] + change
                counts[photo_id] = count
                result = self._results.encode(photo_id, count)
                await into.send(key=b"%d" % photo_id, value=result)
            self._seen += 1

    def _change(self, is_like: bool, event: dict[str, Any]) -> int:
        """By how much the photo's count changes."""
        members = self._members
        if members is None:
            return 1
        pair = f"{event['photo_id']}:{event['user_id']}"
        if is_like == (pair in members):
            return 0
        if is_like:
            members[pair] = 1
            return 1
        del members[pair]
        return -1

    def _look(self, *_commit: Any) -> None:
        """After each commit, once all is read: see whether the broker has the last offsets."""
        if self._seen >= self._job.events and self._ending is None:
            self._ending = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        if await _committed(self._job) < self._job.events:
            self._ending = None
            return
        await self._app.producer.flush()  # at-least-once commits do not wait for outputs
        ended(outputs=self._results.outputs, guarantee=self._job.settings["guarantee"])
        os.kill(os.getpid(), signal.SIGTERM)


async def _committed(job: Job) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=job.bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(job.group)
    finally:
        await admin.close()
    return sum(at.offset for tp, at in offsets.items() if tp.topic == job.source and at.offset > 0)


def _app(job: Job) -> faust.App:
    return faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        store="memory://",
        datadir=job.state,
        processing_guarantee=job.settings["guarantee"],
        broker_commit_interval=job.settings["commit_interval_ms"] / 1_000,
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        web_enabled=False,
    )


if __name__ == "__main__":
    settings = {
        "guarantee": "exactly_once",
        "commit_interval_ms": 2_800,
        "event_loop": "asyncio",
    }
    job = Job.from_command_line("members", "count", settings=settings)
    if job.settings["event_loop"] == "uvloop":
        use("uvloop")
    elif job.settings["event_loop"] != "asyncio":
        refuse(f"has no event loop {job.settings['event_loop']!r}")
    Program(job).run()
