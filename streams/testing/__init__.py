"""Tests without a broker: a service under simulated faults, and the Kafka in memory below it.

from streams.testing import simulate

def test_likes_survive_anything() -> None:
    events = [PhotoLiked(user_id=user, photo_id=5, owner_id=9) for user in (1, 2, 1)]
    simulate(SERVICE, events, seed=7).check()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.testing.simulation import Simulation, SimulationFailed, simulate

_HOMES = {
    "Simulation": "streams.testing.simulation",
    "SimulationFailed": "streams.testing.simulation",
    "simulate": "streams.testing.simulation",
}

__all__ = ["Simulation", "SimulationFailed", "simulate"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'streams.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
