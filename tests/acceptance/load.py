"""A steady load: `python -m tests.acceptance.load SEED COUNT PER_S`.

Emits `random_events(SEED, COUNT)` at that pace, until standard input ends or all are out; then
prints how many were acknowledged. Fails when any was not.
"""

from __future__ import annotations

import os
import sys
import threading
from itertools import islice

from streams.clock import monotonic_s
from streams.sdk import EventClient
from tests.model.events import random_events

_TURN_S = 0.02


def main(seed: int, count: int, per_s: int) -> None:
    stopping = threading.Event()
    threading.Thread(target=_stop_at_end_of_input, args=(stopping,), daemon=True).start()
    events = random_events(seed, count)
    started_s, sent = monotonic_s(), 0
    with EventClient() as client:
        while sent < count and not stopping.wait(_TURN_S):
            due = min(count, int((monotonic_s() - started_s) * per_s))
            for event in islice(events, due - sent):
                client.emit(event)
            sent = due
        client.flush()
    print(sent, flush=True)


def _stop_at_end_of_input(stopping: threading.Event) -> None:
    while os.read(0, 1):
        pass
    stopping.set()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
