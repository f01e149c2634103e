"""Log lines with fields: one line an occurrence, an `action` and ids, never a payload or a secret.

    log = get_logger(service="counters")
    log.info("partition taken over", action="assigned", topic="social.photos", partition=3)

Lines go to the standard logger `streams`, so a program that embeds the library keeps its set-up.
Our own processes call `configure`: lines of every logger then go to standard error, for a person
on a terminal, else as JSON.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TextIO

import structlog

from streams.settings import LogSettings

_LOGGER = logging.getLogger("streams")
_SECRET: Final = re.compile("password|secret|token|credential", re.IGNORECASE)
_ERASE_LINE: Final = "\r\x1b[K"
_HANDLER: Final = "streams-stderr"
_listener: ContextVar[Callable[[Line], None] | None] = ContextVar("_listener", default=None)


def get_logger(**bound: Any) -> structlog.stdlib.BoundLogger:
    """A logger that adds `bound` to each of its lines."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        _LOGGER,
        processors=[_to_listener, structlog.stdlib.filter_by_level, _to_standard_logging],
        wrapper_class=structlog.stdlib.BoundLogger,
        **bound,
    )
    return logger


@contextmanager
def listening(hear: Callable[[Line], None]) -> Iterator[None]:
    """Lines logged in this context go to `hear` and nowhere else."""
    token = _listener.set(hear)
    try:
        yield
    finally:
        _listener.reset(token)


def configure(settings: LogSettings | None = None) -> None:
    """Send the lines of this process to standard error; the last call holds."""
    settings = settings or LogSettings()
    is_console = settings.form == "console" or (settings.form == "auto" and sys.stderr.isatty())
    handler = OverBar(sys.stderr)
    handler.set_name(_HANDLER)
    handler.setFormatter(ConsoleLines() if is_console else JsonLines())
    root = logging.getLogger()
    root.handlers = [old for old in root.handlers if old.get_name() != _HANDLER] + [handler]
    root.setLevel(settings.level.upper())


class Line:
    """What happened and its fields, as a message of standard logging: `event name=value …`."""

    __slots__ = ("event", "fields")

    def __init__(self, event: str, fields: Mapping[str, Any]) -> None:
        self.event = event
        self.fields = {
            name: "***" if _SECRET.search(name) else _plain(value) for name, value in fields.items()
        }

    def __str__(self) -> str:
        return " ".join((self.event, *(f"{name}={value}" for name, value in self.fields.items())))


class OverBar(logging.StreamHandler[TextIO]):
    """On a terminal each line first erases the progress bar that may stand there.

    The bar is drawn by `streams run`, in another process than most of the lines.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return _ERASE_LINE + line if self.stream.isatty() else line


class JsonLines(logging.Formatter):
    """One JSON object a line: timestamp (UTC), level, event, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_fields(record, self), default=str, ensure_ascii=False)


class ConsoleLines(logging.Formatter):
    """Aligned and, on a terminal, coloured lines."""

    def __init__(self) -> None:
        super().__init__()
        self._render = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )

    def format(self, record: logging.LogRecord) -> str:
        return self._render(None, record.name, _fields(record, self))


def _plain(value: Any) -> Any:
    """What an enum stands for: its repr, which the console shows, is a name of the code's."""
    return value.value if isinstance(value, Enum) else value


def _to_listener(
    _logger: Any, _method: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    hear = _listener.get()
    if hear is None:
        return event_dict
    hear(Line(str(event_dict.pop("event", "")), event_dict))
    raise structlog.DropEvent


def _to_standard_logging(
    _logger: Any, _method: str, event_dict: MutableMapping[str, Any]
) -> tuple[tuple[Line], dict[str, Any]]:
    """The last processor: positional and keyword arguments of the standard logger's method."""
    options = {
        name: event_dict.pop(name)
        for name in ("exc_info", "stack_info", "stacklevel")
        if name in event_dict
    }
    return (Line(str(event_dict.pop("event", "")), event_dict),), options


def _fields(record: logging.LogRecord, formatter: logging.Formatter) -> dict[str, Any]:
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    fields: dict[str, Any] = {
        "timestamp": moment.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
    }
    if isinstance(record.msg, Line):
        fields |= {"event": record.msg.event, **record.msg.fields}
    else:
        fields |= {"event": record.getMessage(), "logger": record.name}
    if record.exc_info:
        fields["exception"] = formatter.formatException(record.exc_info)
    return fields
