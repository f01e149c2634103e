"""What there is to see at one moment of the demo, and the words for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.demo.watch import Seen
from services.demo.workers import count_of
from streams.engine.status import WorkerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment: what was emitted and counted of `total` events, and who works."""

    total: int
    emitted: int = 0
    emitted_per_s: float = 0.0
    counted_per_s: float = 0.0
    are_averages: bool = False
    seen: Seen = field(default_factory=Seen)
    workers: tuple[WorkerStatus, ...] = ()
    dead_pid: int = 0

    def state_of(self, worker: WorkerStatus) -> str:
        """The state of a worker; one that was killed cannot say so itself."""
        return "killed" if worker.pid == self.dead_pid else worker.state

    def line(self) -> str:
        """The moment in one line of text."""
        parts = [
            f"{self.emitted:,} of {self.total:,} emitted ({self.emitted_per_s:,.0f}/s)",
            f"{self.seen.processed:,} counted ({self.counted_per_s:,.0f}/s)",
            f"lag {self.seen.lag:,}",
            *(f"worker {one.slot} {self.state_of(one)}, {count_of(one)}" for one in self.workers),
            *(f"photo {one.photo_id} has {one.likes:,} likes" for one in self.seen.top[:1]),
        ]
        return " · ".join(parts)


def partitions_in_words(partitions: Iterable[str]) -> str:
    """`social.photos/0`, `social.photos/1` → `photos 0 1`, topic by topic."""
    by_topic = defaultdict(list)
    for name in partitions:
        topic, _, number = name.rpartition("/")
        by_topic[topic.rpartition(".")[2]].append(int(number))
    return " · ".join(
        f"{topic} {' '.join(map(str, sorted(numbers)))}"
        for topic, numbers in sorted(by_topic.items())
    )
