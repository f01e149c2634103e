"""A limit on calls into librdkafka that may never return, whatever time-out they were given.

Seen with 2.16.0, once in about fifty restarts of a broker: `send_offsets_to_transaction` waits for
ever, because the request it waits for was lost when the connection to the coordinator went.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeAlias, TypeVar

_Value = TypeVar("_Value")
_Outcome: TypeAlias = "SimpleQueue[tuple[_Value, None] | tuple[None, BaseException]]"


def within(timeout_s: float, call: Callable[[], _Value]) -> _Value:
    """The call's value, or its error; TimeoutError when it does not return in time.

    A call that never returns keeps its thread, and what it holds, until the process ends.
    """
    outcome: _Outcome[_Value] = SimpleQueue()
    threading.Thread(target=_run, args=(call, outcome), name="bounded", daemon=True).start()
    del call  # neither it nor its client may live on in the traceback of an error
    try:
        value, error = outcome.get(timeout=timeout_s)
    except Empty:
        raise TimeoutError(f"no return from the client within {timeout_s:.1f} s") from None
    if error is None:
        return value  # type: ignore[return-value] # without an error there is a value
    try:
        raise error
    finally:
        del error


def _run(call: Callable[[], _Value], outcome: _Outcome[_Value]) -> None:
    try:
        outcome.put((call(), None))
    except BaseException as exc:  # raised in the thread that waits
        outcome.put((None, exc.with_traceback(None)))
