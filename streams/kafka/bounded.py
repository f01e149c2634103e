"""A limit on calls into librdkafka that may never return, whatever time-out they were given.

Seen with 2.16.0, once in about fifty restarts of a broker: `send_offsets_to_transaction` waits for
ever, because the request it waits for was lost when the connection to the coordinator went.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

_Value = TypeVar("_Value")


def within(timeout_s: float, call: Callable[[], _Value]) -> _Value:
    """The call's value, or its error; TimeoutError when it does not return in time.

    A call that never returns keeps its thread, and what it holds, until the process ends.
    """
    outcome: SimpleQueue[tuple[_Value, None] | tuple[None, BaseException]] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put((call(), None))
        except BaseException as exc:  # raised in the calling thread
            outcome.put((None, exc))

    threading.Thread(target=run, name="bounded", daemon=True).start()
    try:
        value, error = outcome.get(timeout=timeout_s)
    except Empty:
        raise TimeoutError(f"no return from the client within {timeout_s:.1f} s") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value] # without an error there is a value
