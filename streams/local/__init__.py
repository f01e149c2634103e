"""A real Kafka on this machine, from Python packages alone: no Docker, no Java to install.

The names below load when first used: `compose`, beside them, needs no extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.local.kafka import LocalKafka, NodeStatus, Status

__all__ = ["LocalKafka", "NodeStatus", "Status"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from streams.local import kafka

    return getattr(kafka, name)
