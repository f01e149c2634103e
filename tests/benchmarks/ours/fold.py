"""Our worker on one job: `members`, `count`, or `replay` (rebuild the state of `members`).

Options: bootstrap, namespace, group, job, events, home; `before` (events to fold before the clock
starts), and checkpoint_interval_s, commit_interval_s, cache_entries, is_profiled where they differ
from what a user gets. A replay starts with an empty home in the group
of an earlier run and ends when everything committed is folded again, silently.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from streams import Catalog, Service, Worker
from streams.kafka.admin import KafkaAdmin
from streams.kafka.connection import KafkaLog
from streams.ports.records import Polled
from streams.settings import KafkaSettings, TopicSettings, WorkerSettings
from streams.topics.apply import apply_topics
from streams.topics.declared import declared_topics
from tests.benchmarks.ours.jobs import JOBS
from tests.benchmarks.ours.profile import Profile
from tests.benchmarks.ours.states import counts_in
from tests.benchmarks.ours.watched import WatchedLog


def main() -> None:
    """Run until every event is folded and committed."""
    options = json.loads(sys.argv[1])
    kafka = KafkaSettings(bootstrap_servers=options["bootstrap"], namespace=options["namespace"])
    service, home = JOBS[options["job"]](options["group"]), Path(options["home"])
    _make_topics(kafka, service)
    is_replay = options["job"] == "replay"
    log = WatchedLog(KafkaLog(kafka, WorkerSettings()))
    worker = Worker(service, kafka=kafka, settings=_settings(options), home=home, log=log)
    progress = _Progress(worker, options["events"], options["before"], is_replay=is_replay)
    log.on_poll, log.on_commit = progress.polled, progress.committed
    if options.get("is_profiled"):
        progress.profile = Profile()
    worker.run()
    facts: dict[str, Any] = {"profile": progress.seconds}
    if is_replay:
        facts["counts"] = counts_in(service, kafka, home)
    print(json.dumps(facts), flush=True)


class _Progress:
    """Says when the work begins and ends, and stops the worker then."""

    def __init__(self, worker: Worker, events: int, before: int, *, is_replay: bool) -> None:
        self._worker = worker
        self._events = events
        self._left = before + events
        self._is_replay = is_replay
        self.profile: Profile | None = None
        self.seconds: dict[str, float] = {}
        self._has_begun = self._has_ended = False

    def polled(self, polled: Polled | None) -> None:
        """Before a poll (None): what came before is folded. After it: what came."""
        if polled is None:
            if self._left <= 0:
                self._worker.stop()
                if self._is_replay:
                    self._end()
        elif polled.batches:
            if not self._has_begun and self._left <= self._events:
                self._has_begun = True
                if self.profile is not None:
                    self.profile.seconds.clear()
                print("start", flush=True)
            self._left -= sum(len(batch.offsets) for batch in polled.batches)

    def committed(self) -> None:
        """A transaction is committed."""
        if self._left <= 0 and not self._is_replay:
            self._end()

    def _end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            print("end", flush=True)
            if self.profile is not None:
                self.seconds = dict(self.profile.seconds)


def _settings(options: dict[str, Any]) -> WorkerSettings:
    given = {name: options[name] for name in WorkerSettings.model_fields if name in options}
    return WorkerSettings(http_port=-1, **given)


def _make_topics(kafka: KafkaSettings, service: Service) -> None:
    """The service's own topics: its group is new in each run."""
    admin = KafkaAdmin(kafka)
    try:
        declared = declared_topics(Catalog.find(), [service.name])
        apply_topics(declared, admin, TopicSettings(), folded=set(service.inputs))
    finally:
        admin.close()


if __name__ == "__main__":
    main()
