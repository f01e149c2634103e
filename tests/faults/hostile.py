"""Records that no schema explains, or that were made to hurt whoever decodes them.

No registry is asked for schemas: the lock file comes with the program. So none can be down or slow,
and what stands in for one that does not know an id is a program older than a record's schema.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from schemas.social import MessageSent, PhotoLiked
from streams.avro.framing import FRAME_BYTES, frame
from streams.avro.lock import LockFile, Version
from streams.avro.reasons import Reason
from streams.avro.varint import long_bytes
from streams.topics.catalog import LOCK_FILE, Catalog

CATALOG = Catalog.of(MessageSent)

MESSAGES, PHOTOS = "social.messages", "social.photos"

_FULL: Final = 1_000_001  # one byte more than a payload may have
_MANY: Final = 2**62
_DEPTH: Final = 5_000  # at which a decoder that recurses ends its process
_ENTRIES: Final = 300_000
_EVENT_ID: Final = bytes(15) + b"\7"


class Bad(NamedTuple):
    """A record's topic and value, and the reason for which it must be in quarantine."""

    topic: str
    value: bytes | None
    reason: str


def hostile(chance: random.Random) -> Mapping[str, Bad]:
    """Bad records by what is wrong with them; others for each state of `chance`."""
    return {**_damaged(chance), **_endless(), **_bombs(chance)}


def make_known() -> None:
    """Give this process the writer schemas of the bombs, as if they had been released once."""
    CATALOG.registry = _lock()


def _damaged(chance: random.Random) -> Mapping[str, Bad]:
    """What clients of others and broken networks write."""
    like, (head, body) = _like(chance), _message(chance)
    cut = chance.randrange(FRAME_BYTES, len(like))
    unknown = b"\0" + chance.randbytes(4)
    return {
        "null": Bad(PHOTOS, None, "no value"),
        "empty": Bad(PHOTOS, b"", Reason.BAD_MAGIC),
        "shorter than a frame": Bad(PHOTOS, like[:3], Reason.TRUNCATED),
        "bad magic": Bad(PHOTOS, b"\1" + like[1:], Reason.BAD_MAGIC),
        "unknown schema id": Bad(PHOTOS, unknown + like[FRAME_BYTES:], Reason.UNKNOWN_SCHEMA),
        "truncated": Bad(PHOTOS, like[:cut], Reason.TRUNCATED),
        "trailing bytes": Bad(PHOTOS, like + chance.randbytes(3), Reason.TRAILING_BYTES),
        "random bytes": Bad(PHOTOS, like[:FRAME_BYTES] + b"\xff" * 30, Reason.INVALID_VALUE),
        "over the limit": Bad(PHOTOS, like + bytes(_FULL), Reason.TOO_LARGE),
        "bad utf-8": Bad(
            MESSAGES, head + body + b"\0" + long_bytes(3) + b"a\xff\xfe", Reason.INVALID_UTF8
        ),
    }


def _endless() -> Mapping[str, Bad]:
    """Lengths and counts that a decoder must not believe."""
    head, body = _message(random.Random(0))
    many, few = long_bytes(_MANY), b"\2\4"
    payloads = {
        "endless text": (body + b"\0" + many + b"abc", Reason.TRUNCATED),
        "text of negative length": (body + b"\0" + long_bytes(-5) + b"abc", Reason.INVALID_VALUE),
        "endless array": (body + many + few, Reason.TOO_MANY_ITEMS),
        "array of negative blocks": (
            body + long_bytes(-_MANY) + many + few,
            Reason.TOO_MANY_ITEMS,
        ),
        "endless number": (_EVENT_ID + b"\x80" * 40, Reason.INVALID_VALUE),
    }
    return {name: Bad(MESSAGES, head + one, reason) for name, (one, reason) in payloads.items()}


def _bombs(chance: random.Random) -> Mapping[str, Bad]:
    """Small on the wire, or harmless to look at; the end of a process that only decodes."""
    like = _like(chance)[FRAME_BYTES:]
    nested = (like + long_bytes(1)) * _DEPTH + like + long_bytes(0)
    nulls = like + long_bytes(_MANY) + b"\0"
    names = like + long_bytes(_ENTRIES) + (long_bytes(1) + b"a" + long_bytes(1)) * _ENTRIES + b"\0"
    return {
        "a chain of causes": Bad(PHOTOS, _frame("cause") + nested, Reason.TOO_DEEP),
        "nulls without end": Bad(PHOTOS, _frame("nulls") + nulls, Reason.TOO_MANY_ITEMS),
        "a map of 900 kB": Bad(PHOTOS, _frame("names") + names, Reason.TOO_MANY_ITEMS),
    }


def _like(chance: random.Random) -> bytes:
    like = PhotoLiked(
        user_id=chance.randrange(50), photo_id=chance.randrange(50), owner_id=9, event_id=_EVENT_ID
    )
    return CATALOG.encoder(PhotoLiked).encode(like)


def _message(chance: random.Random) -> tuple[bytes, bytes]:
    """The frame of a message, and its payload up to the array of recipients."""
    numbers = (0, chance.randrange(50), 1, 2)  # its time, and three ids
    return frame(CATALOG.schema_id(MessageSent)), _EVENT_ID + b"".join(map(long_bytes, numbers))


_MORE: Final[Mapping[str, Any]] = {
    "cause": ["null", PhotoLiked.avro_name],
    "nulls": {"type": "array", "items": "null"},
    "names": {"type": "map", "values": "long"},
}
"""Fields that no linter would have let pass, by name: each makes another schema of a like."""


def _schema(field: str) -> dict[str, Any]:
    newest = CATALOG.schema(PhotoLiked)
    return {**newest, "fields": [*newest["fields"], {"name": field, "type": _MORE[field]}]}


def _frame(field: str) -> bytes:
    return frame(Version.of(_schema(field)).id)


def _lock() -> LockFile:
    lock = LockFile.load(CATALOG.folder / LOCK_FILE)
    subject = CATALOG.topic_of(PhotoLiked).subject(PhotoLiked.avro_name)
    newest = CATALOG.schema(PhotoLiked)
    for field in _MORE:
        lock = lock.with_version(subject, _schema(field))
    return lock.with_version(subject, newest)
