"""`python -m services.demo`: exit code 0 only if every counter is right."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from streams.errors import StreamsError

_WHAT_IT_DOES = (
    "Social events become counters on a real Kafka while a worker is killed; then every counter is "
    "compared with a recount."
)
_BAD_USAGE = 2
_INTERRUPTED = 130


def main() -> int:
    """Run the demo on this terminal; returns the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    print(_WHAT_IT_DOES, flush=True)  # first of all: what comes next takes seconds
    try:
        return _run()
    except StreamsError as exc:
        return _failed(f"error: {exc}", exc.exit_code)
    except ModuleNotFoundError as exc:
        return _failed(f"error: this needs {exc.name}, not installed; run: make setup", _BAD_USAGE)
    except KeyboardInterrupt:
        return _failed("interrupted; everything is stopped", _INTERRUPTED)


def _run() -> int:
    # Imported here, so that a package which is not installed is one sentence.
    from rich.console import Console

    from services.demo.show import Demo, Plan
    from services.demo.table import open_screen
    from streams.settings import DemoSettings

    plan = Plan(keep=DemoSettings().keep)
    with open_screen(Console()) as screen:
        demo = Demo(plan, screen)
        comparison = demo.run()
    for example in comparison.examples:
        print(f"wrong: {example}")
    if demo.how_to_look:
        print(demo.how_to_look)
    print(comparison.line(plan.events))
    return 0 if comparison.is_equal else 1


def _failed(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM stops everything in order, as Ctrl-C does."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
