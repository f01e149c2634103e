"""`python -m services.demo`: exit code 0 only if every counter is right."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from rich.console import Console

from services.demo.show import Demo, Plan
from services.demo.table import open_screen
from streams.errors import StreamsError
from streams.settings import DemoSettings

_INTERRUPTED = 130


def main() -> int:
    """Run the demo on this terminal; returns the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM stops everything in order, as Ctrl-C does."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StreamsError as exc:
        print(f"error: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)
    except KeyboardInterrupt:
        print("interrupted; everything is stopped", file=sys.stderr)
        sys.exit(_INTERRUPTED)
