"""A steady stream of likes of known photos until it is told to stop.

Options: bootstrap, namespace, photos, rate (events a second). Ends when its input is closed.
"""

from __future__ import annotations

import json
import random
import sys
import threading

from schemas.social import PhotoLiked
from streams import EventClient
from streams.clock import monotonic_s
from streams.settings import KafkaSettings

_SLICE_S = 0.02


def main() -> None:
    """Emit a slice every 20 ms."""
    options = json.loads(sys.argv[1])
    kafka = KafkaSettings(bootstrap_servers=options["bootstrap"], namespace=options["namespace"])
    chance, stopped = random.Random(2), threading.Event()
    threading.Thread(target=_watch_input, args=(stopped,), daemon=True).start()
    with EventClient(kafka) as client:
        due_s = monotonic_s()
        while not stopped.wait(max(0.0, due_s - monotonic_s())):
            due_s += _SLICE_S
            client.emit_many(
                PhotoLiked(chance.randrange(10**6), chance.randrange(options["photos"]), 1)
                for _ in range(int(options["rate"] * _SLICE_S))
            )


def _watch_input(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


if __name__ == "__main__":
    main()
