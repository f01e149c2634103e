"""What every fault is: something done to a scene, and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.faults.scene import Scene


class NothingToHarm(Exception):
    """As things stand the fault cannot be done; the message says why."""


class Fault(Protocol):
    """One kind of harm. A trial calls `inject`, goes on with the workload, then calls `heal`.

    Both return when what they do is done, and may be called again on the same scene. Every choice
    (which worker, which partition, how long) is drawn from `scene.random`, so that a seed replays
    it. `heal` leaves nothing behind, also after an `inject` that raised half-way. What a fault
    does beyond its name it tells by `scene.timeline.note`. One that finds nothing to harm leaves
    all as it was and raises NothingToHarm: then it counts as not injected, and is not healed.

    A fault may also have `hold_s`: how long a trial leaves it in unless told otherwise, 0 where
    `inject` does all there is.
    """

    name: str
    """Lower case with hyphens, the same in timelines, reports and on the command line."""

    def inject(self, scene: Scene) -> None: ...
    def heal(self, scene: Scene) -> None: ...
