"""Where a worker's time goes: the exclusive seconds of each step of its loop.

The steps are methods that run once a batch or once a commit, so watching them costs nothing that
shows. What a step calls that is a step itself counts there only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from streams.clock import monotonic_s
from streams.engine.admission import Admission
from streams.engine.fold_partition import FoldPartition
from streams.engine.loop import Loop
from streams.engine.partition import Partition
from streams.kafka.consumer import KafkaConsumer
from streams.kafka.transaction import KafkaTransactions

_STEPS: list[tuple[type, str, str]] = [
    (Loop, "turn", "rest"),
    (KafkaConsumer, "poll", "consume"),
    (Admission, "decode", "decode"),
    (FoldPartition, "select", "fold"),
    (FoldPartition, "new_keys", "fold"),
    (FoldPartition, "run", "fold"),
    (Partition, "outputs", "encode"),
    (KafkaTransactions, "commit", "commit"),
    (Partition, "checkpoint", "checkpoint"),
]
STEPS = ["consume", "decode", "fold", "encode", "commit", "checkpoint", "rest"]


class Profile:
    """Watches the steps of every worker of this process from now on.

    `seconds` by step. Owned by the worker's thread.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner_s = 0.0
        for owner, method, step in _STEPS:
            setattr(owner, method, self._watched(getattr(owner, method), step))

    def _watched(self, call: Callable[..., Any], step: str) -> Callable[..., Any]:
        @wraps(call)
        def watched(*arguments: Any, **named: Any) -> Any:
            outer_s, self._inner_s = self._inner_s, 0.0
            started_s = monotonic_s()
            try:
                return call(*arguments, **named)
            finally:
                took_s = monotonic_s() - started_s
                self.seconds[step] += took_s - self._inner_s
                self._inner_s = outer_s + took_s

        return watched
