"""A simulated process: it stands still before each of its calls until it is told to go on.

It runs in a thread of its own, but only while `advance` waits for it, so that whatever happens
happens in one order. A crash is raised inside it and unwinds it; nothing it does on its way out has
an effect, because every call of a dead process is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from enum import Enum, auto


class Fault(Enum):
    """What becomes of the call before which a process stands."""

    FAIL = auto()
    """It fails, without an effect."""
    LOST = auto()
    """It takes effect, but fails for its caller."""
    LATE = auto()
    """It fails, and takes effect later."""
    SLOW = auto()
    """It succeeds, and its request is still under way a second time."""


class Crashed(BaseException):
    """Unwinds a process that was killed."""


class Process:
    """Runs `work` in steps. Owned by the thread that calls `advance`.

    `standing` names the call before which it stands, empty while it has not begun. `ended` tells
    that it is over: by itself, by the error in `failure`, or killed. `made` are the calls it made
    since somebody emptied it.
    """

    def __init__(self, pid: int, work: Callable[[Process], None]) -> None:
        self.pid = pid
        self.made: list[str] = []
        self.standing = ""
        self.ended = False
        self.failure: BaseException | None = None
        self._work = work
        self._left = 0
        self._fault: Fault | None = None
        self._is_killed = False
        self._go = threading.Lock()
        self._back = threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), daemon=True)
        self._thread.start()

    def advance(self, calls: int = 1, fault: Fault | None = None) -> None:
        """Let it make its next `calls` calls, the first of them with `fault`."""
        if self.ended:
            return
        self._left = calls
        self._fault = fault
        self._go.release()
        self._back.acquire()

    def kill(self) -> None:
        """End it where it stands; its call is not made."""
        self._is_killed = True
        self.advance()
        self._thread.join()

    def reach(self, call: str) -> Fault | None:
        """Called by the process before each call; returns what shall become of it."""
        if self._is_killed:
            raise Crashed
        if self._left <= 0:
            self._stand(call)
        self._left -= 1
        self.made.append(call)
        fault, self._fault = self._fault, None
        return fault

    def _stand(self, call: str) -> None:
        self.standing = call
        self._back.release()
        self._go.acquire()
        if self._is_killed:
            raise Crashed

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self._is_killed:
                self._work(self)
        except Crashed:
            pass
        except BaseException as exc:
            self.failure = exc
        self.ended = True
        self.standing = ""
        self._back.release()
