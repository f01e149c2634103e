"""A worker that weighs itself: `python -m tests.faults.weighed OPTIONS`.

Options (JSON): bootstrap, namespace, home, cache_entries, events. Ends when that many records are
folded, and prints the bytes it held in memory (RSS) at each poll: [[records, bytes], …].
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psutil

from streams import Worker
from streams.kafka.connection import KafkaLog
from streams.ports.records import Polled
from streams.settings import KafkaSettings, WorkerSettings
from tests.benchmarks.ours.watched import WatchedLog
from tests.faults.many_keys import SERVICE


def main(options: dict[str, Any]) -> None:
    """Work until all is folded."""
    kafka = KafkaSettings(bootstrap_servers=options["bootstrap"], namespace=options["namespace"])
    settings = WorkerSettings(http_port=-1, cache_entries=options["cache_entries"])
    log = WatchedLog(KafkaLog(kafka, settings))
    home = Path(options["home"])
    worker = Worker(SERVICE, kafka=kafka, settings=settings, home=home, log=log)
    scales = _Scales(worker, options["events"])
    log.on_poll = scales.polled
    worker.run()
    print(json.dumps(scales.weighed))


class _Scales:
    """Weighs at each poll that brings records; stops the worker when there is nothing left."""

    def __init__(self, worker: Worker, events: int) -> None:
        self.weighed: list[tuple[int, int]] = []
        self._worker = worker
        self._events = events
        self._seen = 0
        self._process = psutil.Process()

    def polled(self, polled: Polled | None) -> None:
        """Before a poll (None): what came before is folded. After it: what came."""
        if polled is None:
            if self._seen >= self._events:
                self._worker.stop()
        elif polled.batches:
            self._seen += sum(len(batch.offsets) for batch in polled.batches)
            self.weighed.append((self._seen, self._process.memory_info().rss))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
