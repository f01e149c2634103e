"""Kill a worker without warning, and see who takes its partitions over."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence

from services.demo.workers import is_live, name_of, owned, partitions
from streams.engine.status import WorkerStatus


def victim_of(workers: Sequence[WorkerStatus]) -> WorkerStatus | None:
    """The live worker that owns most; None while nobody owns anything."""
    candidates = [worker for worker in workers if is_live(worker) and worker.partitions]
    return max(candidates, key=lambda worker: (len(worker.partitions), worker.slot), default=None)


def kill(worker: WorkerStatus) -> bool:
    """SIGKILL: no farewell, no last commit. False when the process was gone already."""
    try:
        os.kill(worker.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class TakeOver:
    """What becomes of a dead worker's partitions; `took_s` is None until all have new owners."""

    def __init__(self, victim: WorkerStatus, killed_at_s: float) -> None:
        self.victim = victim
        self.took_s: float | None = None
        self._killed_at_s = killed_at_s
        self._orphans = set(victim.partitions)

    def look(self, workers: Sequence[WorkerStatus], now_s: float) -> list[str]:
        """A sentence for each worker that has taken over partitions since the last look."""
        if self.took_s is not None:
            return []
        # The dead one's last words may still lie there.
        alive = {worker.slot: worker for worker in workers if worker.pid != self.victim.pid}
        owners = owned(alive.values())
        taken = Counter(owners[name].slot for name in self._orphans & owners.keys())
        self._orphans -= owners.keys()
        took_s = now_s - self._killed_at_s
        self.took_s = None if self._orphans else took_s
        return [
            f"{name_of(alive[slot])} took over {partitions(count)} after {took_s:.1f} s"
            for slot, count in sorted(taken.items())
        ]
