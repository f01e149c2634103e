"""What every generated type is: a frozen struct that knows its Avro name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import msgspec

UNSTAMPED = bytes(16)
"""An event id that was not drawn yet: 16 zero bytes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Message(msgspec.Struct, frozen=True, gc=False):
    """Anything with a schema. `avro_name` is the full name, such as `social.PhotoLiked`."""

    avro_name: ClassVar[str] = ""


class Event(Message, frozen=True, gc=False):
    """A fact with an identity and a time. Subclasses end with `event_id` and `occurred_at`.

    `event_id` is 16 bytes (a UUIDv7, or derived by a fold; `UNSTAMPED` until emitted),
    `occurred_at` microseconds since 1970 in UTC (0 until emitted).
    """

    @property
    def time(self) -> datetime:
        """`occurred_at` as an aware datetime in UTC."""
        occurred_at: int = self.occurred_at  # type: ignore[attr-defined]
        return _EPOCH + timedelta(microseconds=occurred_at)


class Result(Message, frozen=True, gc=False):
    """What a fold says about a key now: an upsert without identity or time of its own."""
