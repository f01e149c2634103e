"""A service, its events and a schedule: what can be played, drawn and made smaller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any, Final

import msgspec

from streams.errors import InputError
from streams.events.message import UNSTAMPED, Event, Message
from streams.fold.service import Service
from streams.ports.records import Outgoing
from streams.testing.chance import Chance, draw_setup
from streams.testing.paste import pasteable_test, short
from streams.testing.referee import Finding
from streams.testing.schedule import Schedule, Setup, Step
from streams.testing.settlement import settle
from streams.testing.shrinking import Shrinker
from streams.testing.world import World
from streams.topics.route import Route

_BEGIN_US: Final = 1_767_225_600_000_000  # 2026-01-01
_STEP_US: Final = 1_000_000
_PLAINEST: Final = Setup(workers=1)
_NOTHING_HAPPENS: Final = Schedule(Setup(), ())
_COUNTING: Final = ("emit", "run", "sleep")
"""Steps whose last number may be made smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that decides what happens; playing it twice gives the same.

    `duplicates` says that an event which arrives twice counts once; `may_park` lets handlers raise.
    """

    service: Service
    events: tuple[Message, ...]
    schedule: Schedule = _NOTHING_HAPPENS
    duplicates: bool = True
    may_park: bool = False

    def play(self, hear: Callable[[str], None] | None = None) -> Finding | None:
        """What is wrong, None when nothing is. `hear` is told what happens."""
        world = self._world(hear)
        try:
            for step in self.schedule.steps:
                if world.finding is None:
                    world.step(step)
            return settle(world)
        finally:
            world.close()

    def drawn(self, random: Random, steps: int) -> tuple[Case, Finding | None]:
        """The case with a schedule drawn by chance, and what is wrong with it."""
        case, taken = replace(self, schedule=Schedule(draw_setup(random), ())), list[Step]()
        world = case._world()
        chance = Chance(random, world, duplicates=self.duplicates)
        try:
            while len(taken) < steps and world.finding is None:
                taken.append(chance.step())
                world.step(taken[-1])
            finding = settle(world)
        finally:
            world.close()
        return case.with_steps(taken), finding

    def test(self, seed: int | None = None) -> str:
        """A test that plays its schedule again; with a seed, one that draws schedules."""
        options = [] if seed is None else [f"seed={seed}"]
        options += [] if self.duplicates else ["duplicates=False"]
        options += ["may_park=True"] if self.may_park else []
        schedule = self.schedule if seed is None else None
        return pasteable_test(self.service, self.events, schedule, options)

    def with_events(self, events: Sequence[Message]) -> Case:
        """The same with other events."""
        return replace(self, events=tuple(events))

    def with_steps(self, steps: Sequence[Step]) -> Case:
        """The same with other steps."""
        return replace(self, schedule=replace(self.schedule, steps=tuple(steps)))

    def with_setup(self, setup: Setup) -> Case:
        """The same, run in another way."""
        return replace(self, schedule=replace(self.schedule, setup=setup))

    def with_number(self, at: int, number: int) -> Case:
        """The same with another number behind one step."""
        steps = list(self.schedule.steps)
        steps[at] = (*steps[at][:-1], number)
        return self.with_steps(steps)

    def _world(self, hear: Callable[[str], None] | None = None) -> World:
        return World(
            self.service,
            self.schedule.setup,
            records_of(self.service, self.events),
            may_park=self.may_park,
            names=[short(event) for event in self.events] if hear is not None else (),
            hear=hear,
        )


def shrunk(case: Case, kind: str) -> Case:
    """A smaller case in which something of the same kind is wrong."""

    def is_wrong(smaller: Case) -> bool:
        found = smaller.play()
        return found is not None and found.kind == kind

    shrinker = Shrinker(case, is_wrong)

    def counting(at: int) -> Callable[[int], Case]:
        return lambda number: shrinker.case.with_number(at, number)

    for _ in range(2):
        steps = shrinker.case.schedule.steps
        shrinker.fewer(steps, lambda some: shrinker.case.with_steps(some))
        shrinker.fewer(shrinker.case.events, lambda some: shrinker.case.with_events(some))
    shrinker.takes(shrinker.case.with_steps(_merged(shrinker.case.schedule.steps)))
    for at, step in enumerate(shrinker.case.schedule.steps):
        if step[0] in _COUNTING:
            shrinker.less(int(step[-1]), counting(at))
    for field in fields(Setup):
        plain = {field.name: getattr(_PLAINEST, field.name)}
        shrinker.takes(shrinker.case.with_setup(replace(shrinker.case.schedule.setup, **plain)))
    return shrinker.case


def _merged(steps: Sequence[Step]) -> list[Step]:
    """The same steps with those made one that let a worker run twice in a row."""
    merged: list[Step] = []
    for step in steps:
        if merged and step[0] == "run" and merged[-1][:2] == step[:2]:
            merged[-1] = (*step[:2], int(merged[-1][2]) + int(step[2]))
        else:
            merged.append(step)
    return merged


def records_of(service: Service, events: Sequence[Message]) -> list[Outgoing]:
    """The records of events, stamped.

    Raises InputError for what is no event of a topic that the service reads, SchemaMismatch for one
    that does not fit its schema.
    """
    routes: dict[type[Message], Route] = {}
    records = []
    for number, event in enumerate(events, start=1):
        if type(event) not in routes:
            routes[type(event)] = _route(service, event)
        route, one = routes[type(event)], stamped(event, number)
        records.append(
            Outgoing(route.topic.name, route.key(one), route.encode(one), (), route.partition(one))
        )
    return records


def stamped(event: Any, number: int) -> Any:
    """The event with the id and time of the `number`-th, where it has none."""
    if not isinstance(event, Event):
        return event
    missing: dict[str, Any] = {}
    if event.event_id == UNSTAMPED:  # type: ignore[attr-defined]
        missing["event_id"] = number.to_bytes(4, "big") + b"\0\0\x70\0\x80" + bytes(7)
    if event.occurred_at == 0:  # type: ignore[attr-defined]
        missing["occurred_at"] = _BEGIN_US + number * _STEP_US
    return msgspec.structs.replace(event, **missing) if missing else event


def _route(service: Service, event: Message) -> Route:
    written = {topic.name for topic in service.output_topics}
    inputs = [name for name in service.inputs if name not in written]
    if not isinstance(event, Message):
        raise InputError(f"found {event!r} among the events, wanted events of {', '.join(inputs)}")
    route = Route(type(event), service.catalog)
    if route.topic.name not in inputs:
        raise InputError(
            f"found a {type(event).__name__}, which is on {route.topic.name}, wanted events of "
            f"what {service.name} reads: {', '.join(inputs)}"
        )
    return route
