"""Errors that the client reports by itself, from a thread of its own or while it is polled."""

from __future__ import annotations

from typing import Any, Final

from confluent_kafka import KafkaError

from streams.clock import Deadline
from streams.kafka import faults
from streams.logs import get_logger

_WARN_EVERY_S: Final = 30.0


class ErrorLog:
    """A client's error callback; holds no reference to the client, so dropping it frees it.

    A kind of error makes one line in half a minute. Lost connections are told once all are lost:
    the client mends single ones.
    """

    def __init__(self, action: str, **bound: Any) -> None:
        self.last = ""  # the newest error that says more than that a connection was lost
        self._action = action
        self._log = get_logger(**bound)
        self._quiet: dict[int, Deadline] = {}

    def __call__(self, error: KafkaError) -> None:
        code = error.code()
        is_lost = code == KafkaError._ALL_BROKERS_DOWN
        if code in faults.UNREACHABLE and not is_lost:
            return
        if not is_lost:
            self.last = error.str()
        if code not in self._quiet or self._quiet[code].is_over:
            self._quiet[code] = Deadline.after(_WARN_EVERY_S)
            self._log.warning("client error", action=self._action, error=error.str())
