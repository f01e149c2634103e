"""Kill a worker without warning, and see who takes its partitions over."""

from __future__ import annotations

import os
import signal
from collections import Counter

from services.demo.scene import in_words
from services.demo.workers import Worker, owned


def victim_of(workers: list[Worker]) -> Worker | None:
    """The live worker that owns most; None while nobody owns anything."""
    candidates = [worker for worker in workers if worker.is_live and worker.partitions]
    return max(candidates, key=lambda worker: (len(worker.partitions), worker.slot), default=None)


def kill(worker: Worker) -> None:
    """SIGKILL: no farewell, no last commit."""
    os.kill(worker.pid, signal.SIGKILL)


class TakeOver:
    """What becomes of a dead worker's partitions."""

    def __init__(self, victim: Worker, killed_at_s: float) -> None:
        self.victim = victim
        self._killed_at_s = killed_at_s
        self._orphans = set(victim.partitions)
        self.took_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether every partition has a new live owner."""
        return self.took_s is not None

    def alive(self, workers: list[Worker]) -> list[Worker]:
        """The workers without the dead process, whose last words may still lie there."""
        return [worker for worker in workers if worker.pid != self.victim.pid]

    def look(self, workers: list[Worker], now_s: float) -> list[str]:
        """A sentence for each worker that has taken over partitions since the last look."""
        workers = self.alive(workers)
        owners = owned(workers)
        taken = Counter(owners[name] for name in self._orphans & owners.keys())
        self._orphans -= owners.keys()
        took_s = now_s - self._killed_at_s
        if not self._orphans and not self.is_over:
            self.took_s = took_s
        return [
            f"{worker.name} took over {in_words(count, 'partition')} after {took_s:.1f} s"
            for worker, count in sorted(taken.items(), key=lambda item: item[0].slot)
        ]
