"""JSON forms of field values: what each Avro type looks like in JSON lines, read and written.

JSON objects arrive as tuples of (name, value) pairs, so that a name given twice can be refused
and an object is never taken for an array.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MIN_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MAX_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,%d})?"
_OFFSET = r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"

_FOUND_SHOWN: Final = 60
"""Longest piece of a wrong value shown in an error, characters."""


class Misfit(Exception):
    """A JSON value that does not fit; `path` grows on the way out of nested values."""

    def __init__(self, found: str, wanted: str, path: str = "") -> None:
        super().__init__(f"found {found}, wanted {wanted}")
        self.found = found
        self.wanted = wanted
        self.path = path


class ValueForm(NamedTuple):
    """How one type is read from JSON (raises Misfit) and written to it (None = as it is)."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None


def shown(value: Any) -> str:
    """A JSON value as a person would write it, cut short; ASCII, so any terminal shows it."""
    if isinstance(value, tuple):
        return "an object"
    text = json.dumps(value, default=lambda _: "an object")
    return text if len(text) <= _FOUND_SHOWN else f"{text[:_FOUND_SHOWN]}…"


def whole(bits: int) -> ValueForm:
    """A JSON integer of an `int` or `long`."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    wanted = f"a JSON integer of {bits} bits"

    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Misfit(shown(value), wanted)
        return value

    return ValueForm(read)


def _read_float(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise Misfit(shown(value), "a JSON number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Misfit(shown(value), "a JSON number that a double can hold")
    return number


def _write_float(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _read_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Misfit(shown(value), "true or false")
    return value


def read_text(value: Any) -> str:
    """A JSON string that UTF-8 can hold (a lone surrogate it cannot)."""
    if type(value) is not str:
        raise Misfit(shown(value), "a JSON string")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Misfit(shown(value), "text without lone surrogates") from None
    return value


def hexadecimal(size: int | None = None) -> ValueForm:
    """Bytes as hex digits; `size` bytes where the type is fixed."""
    wanted = "hex digits, two a byte" if size is None else f"{2 * size} hex digits"

    def read(value: Any) -> bytes:
        if type(value) is not str or not _HEX.fullmatch(value):
            raise Misfit(shown(value), wanted)
        if size is not None and len(value) != 2 * size:
            raise Misfit(shown(value), wanted)
        return bytes.fromhex(value)

    return ValueForm(read, bytes.hex)


def _read_uuid(value: Any) -> UUID:
    if type(value) is not str or not _UUID.fullmatch(value):
        raise Misfit(
            shown(value), "the text of a UUID, such as 0190a8f0-0000-7000-8000-000000000000"
        )
    return UUID(value)


def _read_decimal(value: Any) -> Decimal:
    if type(value) is not str or not _DECIMAL.fullmatch(value):
        raise Misfit(shown(value), 'a decimal number in a string, such as "12.50"')
    return Decimal(value)


def _read_date(value: Any) -> Any:
    return _calendar(value, _DATE, date.fromisoformat, "a date such as 2026-01-31")


def _time_of_day(digits: int) -> ValueForm:
    pattern = re.compile(_TIME % digits)
    wanted = f"a time such as 23:59:59, at most {digits} digits after the point"
    return ValueForm(
        lambda value: _calendar(value, pattern, time.fromisoformat, wanted), time.isoformat
    )


def _moment(digits: int) -> ValueForm:
    pattern = re.compile(rf"{_DATE.pattern}[Tt ]{_TIME % digits}{_OFFSET}")
    wanted = (
        "an RFC 3339 time with offset, such as 2026-01-31T23:59:59Z, "
        f"at most {digits} digits after the point"
    )
    return ValueForm(lambda value: _calendar(value, pattern, _utc, wanted), _write_moment)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _calendar(
    value: Any, pattern: re.Pattern[str], convert: Callable[[str], Any], wanted: str
) -> Any:
    if type(value) is not str or not pattern.fullmatch(value):
        raise Misfit(shown(value), wanted)
    try:
        return convert(value)
    except (ValueError, OverflowError):
        raise Misfit(shown(value), wanted) from None


def _write_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_occurred_at(value: Any) -> int:
    if type(value) is int:
        if not _MIN_US <= value <= _MAX_US:
            raise Misfit(shown(value), "microseconds since 1970 within the years 1 to 9999")
        return value
    try:
        moment: datetime = _MICROS.read(value)
    except Misfit as misfit:
        raise Misfit(shown(value), f"{misfit.wanted}, or integer microseconds since 1970") from None
    return (moment - _EPOCH) // _MICROSECOND


def _write_occurred_at(value: int) -> str:
    return _write_moment(_EPOCH + timedelta(microseconds=value))


_MICROS = _moment(6)

EVENT_ID = ValueForm(lambda value: _read_uuid(value).bytes, lambda value: str(UUID(bytes=value)))
"""Event ids are 16 bytes in Python and UUID text in JSON."""

OCCURRED_AT = ValueForm(_read_occurred_at, _write_occurred_at)
"""Times of events are integer microseconds in Python and RFC 3339 in JSON."""

PLAIN: Final[Mapping[tuple[str, str], ValueForm]] = {
    ("boolean", ""): ValueForm(_read_boolean),
    ("int", ""): whole(32),
    ("long", ""): whole(64),
    ("float", ""): ValueForm(_read_float, _write_float),
    ("double", ""): ValueForm(_read_float, _write_float),
    ("bytes", ""): hexadecimal(),
    ("string", ""): ValueForm(read_text),
    ("string", "uuid"): ValueForm(_read_uuid, str),
    ("int", "date"): ValueForm(_read_date, date.isoformat),
    ("int", "time-millis"): _time_of_day(3),
    ("long", "time-micros"): _time_of_day(6),
    ("long", "timestamp-millis"): _moment(3),
    ("long", "timestamp-micros"): _MICROS,
    ("bytes", "decimal"): ValueForm(_read_decimal, str),
    ("fixed", "decimal"): ValueForm(_read_decimal, str),
}
"""Forms by (Avro type, logical type) of everything that has no parts and no name."""
