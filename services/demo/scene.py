"""What there is to see at one moment of the demo, and the words for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from services.demo.watch import Seen
from services.demo.workers import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment: what was emitted and counted of `total` events, and who works."""

    total: int
    emitted: int = 0
    emitted_per_s: float = 0.0
    counted_per_s: float = 0.0
    seen: Seen = field(default_factory=Seen)
    workers: tuple[Worker, ...] = ()
    dead_pid: int = 0

    def state_of(self, worker: Worker) -> str:
        """The state of a worker; one that was killed cannot say so itself."""
        return "killed" if worker.pid == self.dead_pid else worker.state

    def line(self) -> str:
        """The moment in one line of text."""
        workers = " · ".join(
            f"worker {one.slot} {self.state_of(one)}, {in_words(len(one.partitions), 'partition')}"
            for one in self.workers
        )
        top = self.seen.top[0] if self.seen.top else None
        best = f" · photo {top.photo_id} has {top.likes:,} likes" if top else ""
        return (
            f"{self.emitted:,} of {self.total:,} emitted ({self.emitted_per_s:,.0f}/s) · "
            f"lag {self.seen.lag:,} · {workers}{best}"
        )


def partitions_in_words(partitions: tuple[str, ...]) -> str:
    """`social.photos/0`, `social.photos/1` → `photos 0 1`, topic by topic."""
    by_topic = defaultdict(list)
    for name in partitions:
        topic, _, number = name.rpartition("/")
        by_topic[topic.rpartition(".")[2]].append(int(number))
    return " · ".join(
        f"{topic} {' '.join(map(str, sorted(numbers)))}"
        for topic, numbers in sorted(by_topic.items())
    )


def in_words(count: int, noun: str) -> str:
    """`1 partition`, `2 partitions`."""
    return f"{count:,} {noun}" + "s" * (count != 1)
