"""The life of a partition.

    RESTORING ──(position reaches the committed offset)──▶ LIVE ──▶ CLOSED
        ▲                                                   │
        └─(a handler raised, or something is tried again)───┘

While RESTORING, records fold silently: no outputs, no commit, checkpoints only. What is tried again
(an `Attempt`) begins from a checkpoint at the committed offset, and is not silent; when it is LIVE
again nothing more is folded until its answers are committed, or withdrawn.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Stage(Enum):
    """Where a partition is in its life."""

    RESTORING = "restoring"
    LIVE = "live"
    CLOSED = "closed"


NEXT: Final = {
    Stage.RESTORING: {Stage.LIVE, Stage.RESTORING, Stage.CLOSED},
    Stage.LIVE: {Stage.RESTORING, Stage.CLOSED},
    Stage.CLOSED: {Stage.CLOSED},
}
"""The stages that may follow each."""
