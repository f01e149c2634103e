"""Why a record could not be decoded: the closed set of words that `Undecodable.reason` takes."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Stable words; dashboards and the header `reason` of quarantined records use them."""

    BAD_MAGIC = "bad magic"
    UNKNOWN_SCHEMA = "unknown schema id"
    UNKNOWN_TYPE = "unknown type"
    TOO_LARGE = "too large"
    TOO_DEEP = "too deep"
    TOO_MANY_ITEMS = "too many items"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing bytes"
    INVALID_UTF8 = "invalid utf-8"
    INVALID_VALUE = "invalid value"
