"""What happens next in a simulated world, by chance.

Each schedule has faults of its own: some do not occur in it at all, others often. A schedule in
which everything happens all the time tests little, because nothing ever gets far.
"""

from __future__ import annotations

from random import Random
from typing import Final

from streams.testing.place import Place
from streams.testing.schedule import Setup, Step
from streams.testing.world import World

_FAULTS: Final = ("crash", "fail", "lost", "late", "slow", "expel", "stop")
_RATES: Final = (0.0, 0.0, 0.02, 0.08)
_DELICATE: Final = (
    "commit the transaction",
    "send offsets",
    "write the store",
    "open the producer",
    "ask for committed offsets",
    "ask for the group's offsets",
    "lock",
)
"""Calls before which a fault is likelier to find something."""

_LIKELIER: Final = 6.0
_PAUSES: Final = (1, 7, 16)
"""Seconds: less than a session's time-out, more, and more than a transaction's."""


def draw_setup(random: Random) -> Setup:
    """How a service is run; the shortest checkpoint interval saves all states after each commit."""
    return Setup(
        protocol=random.choice(("consumer", "classic")),
        workers=random.choice((1, 2, 2, 3)),
        hosts=random.choice((1, 2)),
        poll_records=random.choice((1, 3, 100)),
        cache_entries=random.choice((2, 1_000)),
        commit_interval_s=random.choice((0.002, 0.02, 0.2)),
        checkpoint_interval_s=random.choice((0.002, 0.05, 1.0, 10.0)),
    )


class Chance:
    """Draws the steps of one schedule. Owned by one thread."""

    def __init__(self, random: Random, world: World, *, duplicates: bool) -> None:
        self._random = random
        self._world = world
        self._rates = {fault: random.choice(_RATES) for fault in _FAULTS}
        self._again = random.choice((0.0, 0.2)) if duplicates else 0.0
        self._longest_run = random.choice((3, 12, 40))
        self._restless = random.choice((0.05, 0.3))
        self._worker = 0

    def step(self) -> Step:
        """The next step."""
        random, places = self._random, self._world.places
        idle = [number for number, place in enumerate(places) if place.process is None]
        if idle and (len(idle) == len(places) or random.random() < 0.12):
            return "start", random.choice(idle)
        if self._world.left and random.random() < 0.2:
            return "emit", random.randint(1, 4)
        if self._world.emitted and random.random() < self._again * 0.2:
            return ("again",)
        if random.random() < 0.1:
            return self._elsewhere()
        if random.random() < self._restless or places[self._worker].process is None:
            self._worker = random.randrange(len(places))
        return self._fault(places[self._worker]) or ("run", self._worker, self._calls())

    def _calls(self) -> int:
        return self._random.randint(1, self._random.randint(1, self._longest_run))

    def _fault(self, place: Place) -> Step | None:
        if place.process is None:
            return None
        likelier = _LIKELIER if place.process.standing in _DELICATE else 1.0
        for fault, rate in self._rates.items():
            if self._random.random() < rate * likelier:
                met = self._worker
                if fault == "expel":  # it stands there like one that is frozen, while others go on
                    self._worker = self._random.randrange(len(self._world.places))
                return fault, met
        return None

    def _elsewhere(self) -> Step:
        """Something that no worker does."""
        random = self._random
        worker = random.randrange(len(self._world.places))
        word = random.choice(("beat", "beat", "deliver", "deliver", "sleep", "wipe"))
        match word:
            case "beat":
                return "beat", worker
            case "sleep":
                return "sleep", random.choice(_PAUSES)
            case "wipe":
                return "wipe", random.randrange(len(self._world.hosts))
        return ("deliver",)
