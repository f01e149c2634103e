"""How much a single record may ask of this process before it is refused as undecodable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one record's payload; a record over any of them is refused before it is decoded.

    `max_bytes`: Kafka's own default for a record; a larger one was not written by our client.
    `max_depth`: records within records. fastavro recurses in C and kills the process at a few
    thousand levels; 64 is far above any schema people write.
    `max_items`: array and map items in all, a record counting as its fields. An item may take no
    bytes at all (array<null>), so the payload's size does not bound them; 100,000 Python values
    stay under 20 MB.
    """

    max_bytes: int = 1_000_000
    max_depth: int = 64
    max_items: int = 100_000

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_depth", "max_items"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
