"""A limit on calls into librdkafka that may never return, whatever time-out they were given.

Seen with 2.16.0, once in about fifty restarts of a broker: `send_offsets_to_transaction` waits for
ever, because the request it waits for was lost when the connection to the coordinator went.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias, TypeVar

from streams.clock import Deadline, monotonic_s

_Value = TypeVar("_Value")
_Outcome: TypeAlias = "SimpleQueue[tuple[_Value, None] | tuple[None, BaseException]]"

_LOOK_S: Final = 0.2
"""How soon a deadline that was moved is seen."""


def within(deadline: Deadline, call: Callable[[], _Value]) -> _Value:
    """The call's value, or its error; TimeoutError when it does not return in time.

    A call for which no time is left is not made.

    A call that never returns keeps its thread, and what it holds, until the process ends.
    """
    if deadline.is_over:
        raise TimeoutError("no time is left for a call to the client")
    outcome: _Outcome[_Value] = SimpleQueue()
    threading.Thread(target=_run, args=(call, outcome), name="bounded", daemon=True).start()
    del call  # neither it nor its client may live on in the traceback of an error
    value, error = _awaited(outcome, deadline)
    if error is None:
        return value  # type: ignore[return-value] # without an error there is a value
    try:
        raise error
    finally:
        del error


def _awaited(
    outcome: _Outcome[_Value], deadline: Deadline
) -> tuple[_Value, None] | tuple[None, BaseException]:
    began_s = monotonic_s()
    while True:
        try:
            return outcome.get(timeout=min(_LOOK_S, deadline.left_s))
        except Empty:
            if deadline.is_over:
                waited_s = monotonic_s() - began_s
                raise TimeoutError(f"no return from the client within {waited_s:.1f} s") from None


def _run(call: Callable[[], _Value], outcome: _Outcome[_Value]) -> None:
    try:
        outcome.put((call(), None))
    except BaseException as exc:  # raised in the thread that waits
        outcome.put((None, exc.with_traceback(None)))
