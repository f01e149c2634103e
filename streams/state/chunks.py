"""Collections that grow large are saved as a base row and rows of changes.

A photo with ten million fans that got ten new ones costs a row of ten members at the next
checkpoint. When the changes outgrow half the base, the base is written anew, so the bytes
written stay in proportion to the bytes changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

INLINE_ITEMS = 2_048
"""Collections up to this size stay inside the row of their key, if they are small in bytes too."""

INLINE_BYTES = 65_536
"""Few items may be large ones, such as messages with all who got them."""


@dataclass(slots=True)
class Rows:
    """Where a large collection stands on disk. `id` is unique within its key."""

    id: int
    deltas: int = 0
    base_bytes: int = 0
    delta_bytes: int = 0


class Chunked(ABC):
    """What a collection offers so that only its changes are written."""

    __slots__ = ()

    @property
    @abstractmethod
    def rows(self) -> Rows | None:
        """Where it stands on disk; None while it is saved inside the row of its key."""

    @rows.setter
    @abstractmethod
    def rows(self, rows: Rows | None) -> None: ...

    @classmethod
    @abstractmethod
    def load(cls, declared: Any, rows: Sequence[bytes]) -> Self:
        """The collection from a base and its changes, oldest first; `declared` is its type."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def base(self) -> bytes:
        """Everything."""

    @abstractmethod
    def delta(self) -> bytes:
        """What changed since `mark`; empty when nothing did."""

    @abstractmethod
    def mark(self) -> None:
        """Everything up to here is saved."""
