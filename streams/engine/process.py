"""The program of one worker process: `python -m streams.engine.process SERVICE SLOT`.

Standard input is the life line: when the supervisor is gone it ends, and the worker stops.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

from streams.engine.services import load_service
from streams.engine.worker import Worker
from streams.errors import InputError, StreamsError, WorkerStopped
from streams.logs import configure, get_logger
from streams.topics.project import find_project

NEEDS_A_HUMAN: Final = 1
BAD_INPUT: Final = 2
TRY_AGAIN: Final = 70


def main(arguments: list[str]) -> int:
    """Run one worker; the exit code tells the supervisor whether to start it again."""
    configure()
    project = find_project()
    if project is not None:
        project.make_importable()
    name, slot = arguments
    try:
        worker = Worker(load_service(name), slot=int(slot))
        threading.Thread(target=_stop_at_end_of_input, args=(worker,), daemon=True).start()
        worker.run()
    except WorkerStopped as exc:
        get_logger().error(str(exc), action="needs-a-human", kind=type(exc).__name__)
        return NEEDS_A_HUMAN
    except InputError as exc:
        get_logger().error(str(exc), action="refused", kind=type(exc).__name__)
        return BAD_INPUT
    except StreamsError as exc:
        get_logger().error(str(exc), action="crashed", kind=type(exc).__name__)
        return TRY_AGAIN
    except Exception as exc:
        # Not Python's own exit code 1: a full disk or a lost store heals without a human's answer.
        get_logger().exception(str(exc), action="crashed", kind=type(exc).__name__)
        return TRY_AGAIN
    return 0


def _stop_at_end_of_input(worker: Worker) -> None:
    while os.read(0, 1):
        pass
    worker.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
