"""The lines that a client logs by itself, and the connections that they say were lost.

Not obvious: a connection that the other side ends is told to no error callback; the client logs it
one level below and asks again over a new one. Only here can it be seen that a request of the old
one may still be on its way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from streams.errors import ConfigurationError
from streams.logs import get_logger

_FAILED: Final = "FAIL"
_TIMED_OUT: Final = "REQTMOUT"
_NEVER_OPEN: Final = ("in state TRY_CONNECT", "in state CONNECT", "Failed to resolve")
"""What lines about connections say over which nothing can have been asked yet."""

_NEEDED: Final = "6"  # syslog's INFO, the level of lost connections
_SHOWN: Final = "2"  # unless set: only that the client is about to abort
_EVERYTHING: Final = "7"

_LEVELS: Final[Mapping[str, int]] = {
    "0": logging.CRITICAL, "1": logging.CRITICAL, "2": logging.CRITICAL, "3": logging.ERROR,
    "4": logging.WARNING, "5": logging.INFO, "6": logging.INFO, _EVERYTHING: logging.DEBUG,
}  # fmt: skip
"""What the binding makes of syslog's levels."""


class ClientLog:
    """A client's `logger`; holds no reference to the client, so dropping it frees it.

    It is called by the thread that polls the client. Lines that the user asked for (`log_level` or
    `debug`) become log lines of ours.
    """

    def __init__(self, action: str, options: Mapping[str, str], **bound: Any) -> None:
        self.is_connection_lost = False
        self._action = action
        self._shown = _shown(options)
        self._log = get_logger(**bound)

    @property
    def config(self) -> dict[str, Any]:
        """What the client must be made with, above all other settings."""
        return {
            "logger": self,
            "log_level": max(_NEEDED, self._shown),
            "log.connection.close": True,
        }

    def log(self, level: int, _form: str, facility: str, _client: str, line: str) -> None:
        """One line, as the binding hands it over."""
        if facility == _TIMED_OUT or (
            facility == _FAILED and not any(words in line for words in _NEVER_OPEN)
        ):
            self.is_connection_lost = True
        if level >= _LEVELS[self._shown]:
            self._log.info(line, action=self._action, facility=facility)


def _shown(options: Mapping[str, str]) -> str:
    """Syslog's level of the least severe line that the user wants."""
    level = _EVERYTHING if "debug" in options else options.get("log_level", _SHOWN)
    if level not in _LEVELS:
        raise ConfigurationError(
            f"found log_level={level} in KAFKA_CLIENT_OPTIONS, wanted a number from 0 to 7"
        )
    return level
