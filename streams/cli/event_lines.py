"""Events in a file or on standard input: one a line, checked as a whole before any is used."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol, cast

from streams.errors import ConfigurationError, InputError
from streams.events.message import Event
from streams.sdk.check import Check
from streams.topics.catalog import Catalog
from streams.topics.jsonform import EventLines
from streams.views.latest import Progress

STANDARD_INPUT: Final = Path("-")

LONGEST_LINE: Final = 8_000_000
"""Bytes. The largest record fits, even where each of its bytes takes six characters of JSON."""

SHOWN: Final = 20
"""Wrong lines that are told one by one."""

_REPORT_EVERY: Final = 2_000


class Readable(Protocol):
    """What reading lines needs of a file."""

    def readline(self, limit: int, /) -> bytes:
        """The next line, at most `limit` bytes of it; empty at the end."""


class Checked(NamedTuple):
    """What an input holds in which every line is an event."""

    events: int
    topics: dict[str, int]
    event_types: list[type[Event]]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of an input; InputError when it cannot be read."""
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as exc:
        raise InputError(
            f"cannot read {path}: {exc.strerror}; wanted a file of JSON lines"
        ) from exc
    with file:
        yield file


@contextlib.contextmanager
def checked(
    file: BinaryIO, catalog: Catalog, report: Progress
) -> Iterator[tuple[BinaryIO, Checked]]:
    """A file to read the input from, and what it holds, once each line proved to be an event.

    InputError lists the wrong lines. An input that can be read only once is copied to a temporary
    file on the way.
    """
    with contextlib.ExitStack() as stack:
        try:
            if file.seekable():
                size_bytes = file.seek(0, io.SEEK_END)
                file.seek(0)
                found = _check(file, catalog, report, size_bytes)
            else:
                copy = stack.enter_context(tempfile.TemporaryFile(prefix="streams-emit-"))
                found = _check(Copying(file, copy), catalog, report)
                file = copy
            file.seek(0)
        except OSError as exc:
            raise InputError(
                f"cannot read the input or keep a copy of it in {tempfile.gettempdir()}: "
                f"{exc.strerror}; wanted room for it there, another TMPDIR, or --stream"
            ) from exc
        yield file, found


def events(file: BinaryIO, catalog: Catalog) -> Iterator[tuple[int, Event]]:
    """The events of an input with their line numbers; InputError names the line.

    Results may be among them, which the client refuses.
    """
    parse = EventLines(catalog).parse
    for number, text in _lines(file):
        try:
            event = parse(text)
        except InputError as exc:
            raise InputError(f"line {number}: {exc}") from exc
        yield number, cast("Event", event)


class Copying:
    """Reads a file by lines and keeps a copy of each."""

    def __init__(self, file: BinaryIO, copy: BinaryIO) -> None:
        self._file = file
        self._copy = copy

    def readline(self, limit: int) -> bytes:
        """The next line, at most `limit` bytes of it."""
        text = self._file.readline(limit)
        self._copy.write(text)
        return text


def _check(file: Readable, catalog: Catalog, report: Progress, size_bytes: int = 0) -> Checked:
    parse, check = EventLines(catalog).parse, Check()
    topics: Counter[str] = Counter()
    wrong: list[str] = []
    count = read_bytes = 0
    for number, text in _lines(file):
        try:
            topics[check(parse(text))] += 1
        except ConfigurationError:
            raise
        except InputError as exc:
            wrong.append(f"line {number}: {exc}" if len(wrong) < SHOWN else "")
        count += 1
        read_bytes += len(text)
        if count % _REPORT_EVERY == 0:
            report(count, count * size_bytes // read_bytes)
    if wrong:
        raise InputError(_told(wrong, count))
    return Checked(count, dict(topics), check.event_types)


def _told(wrong: list[str], count: int) -> str:
    more = f"\n… and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
    shown = "\n".join(wrong[:SHOWN])
    return f"nothing was sent: found {len(wrong):,} wrong of {count:,} lines\n{shown}{more}"


def _lines(file: Readable) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, numbered from 1; InputError for one too long to be an event."""
    number = 0
    while text := file.readline(LONGEST_LINE):
        number += 1
        if len(text) == LONGEST_LINE and not text.endswith(b"\n"):
            raise InputError(
                f"line {number}: found more than {LONGEST_LINE:,} bytes, wanted one event a line"
            )
        if not text.isspace():
            yield number, text
