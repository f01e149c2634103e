"""Harm to what goes between workers and brokers, through a proxy for each worker."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from tests.faults.fault import Fault, NothingToHarm
from tests.faults.proxy import Api, Direction, Frame, Pattern, Proxy, Rule
from tests.faults.scene import Scene

BOTH: Final = frozenset(Direction)

_LOOK_S = 5.0

_BEFORE_THE_END: Final = {
    Api.PRODUCE: Api.ADD_OFFSETS_TO_TXN,
    Api.ADD_PARTITIONS_TO_TXN: Api.ADD_OFFSETS_TO_TXN,
    Api.END_TXN: Api.ADD_OFFSETS_TO_TXN,
    Api.TXN_OFFSET_COMMIT: Api.END_TXN,
}
"""Where a transaction is stopped, so that a late request of this kind does the most harm."""


class _Ruled:
    """A fault that is some rules of proxies; ending them heals it."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def heal(self, scene: Scene) -> None:
        rules, self._rules = self._rules, []
        for rule in rules:
            rule.end()
        struck = sum(len(rule.frames) for rule in rules)
        scene.timeline.note("frames", struck=struck)


class Latency(_Ruled):
    """Every frame of every worker is late: answers come 200 ms later, give or take."""

    name = "latency"

    def inject(self, scene: Scene) -> None:
        for proxy in scene.network.proxies:
            for direction in BOTH:
                self._rules.append(proxy.delay(Pattern(direction=direction), 0.05, 0.15))


class Resets(_Ruled):
    """Connections of every worker are reset in the middle of anything, by one frame in fifty."""

    name = "resets"

    def inject(self, scene: Scene) -> None:
        for proxy in scene.network.proxies:
            for direction in BOTH:
                self._rules.append(proxy.reset_on(Pattern(direction=direction), chance=0.02))


class Reordering(_Ruled):
    """Answers to any worker come late by themselves: later ones overtake them."""

    name = "reordered-answers"

    def inject(self, scene: Scene) -> None:
        answers = Pattern(direction=Direction.ANSWER)
        for proxy in scene.network.proxies:
            self._rules.append(proxy.delay(answers, 0.0, 0.3, keeps_order=False))


class LostFrames(_Ruled):
    """Frames of some APIs are lost on the way of every worker, while their connections stay.

    `chance` of each; requests are lost as often as answers.
    """

    def __init__(self, name: str, apis: Collection[Api], chance: float = 0.3) -> None:
        super().__init__()
        self.name = f"lost-{name}"
        self._apis = apis
        self._chance = chance

    def inject(self, scene: Scene) -> None:
        for proxy in scene.network.proxies:
            for direction in BOTH:
                pattern = Pattern(direction=direction, apis=self._apis)
                self._rules.append(proxy.drop(pattern, chance=self._chance))


class Together:
    """Several faults at the same time."""

    def __init__(self, *faults: Fault) -> None:
        self.name = "+".join(one.name for one in faults)
        self._faults = faults

    def inject(self, scene: Scene) -> None:
        for fault in self._faults:
            fault.inject(scene)

    def heal(self, scene: Scene) -> None:
        for fault in self._faults:
            fault.heal(scene)


class DeadConnections:
    """Each connection of one worker goes silent for good, as behind a firewall that forgot it.

    New ones work. Nobody can heal this but the client, by giving the dead ones up.
    """

    name = "dead-connections"
    hold_s = 0.0

    def inject(self, scene: Scene) -> None:
        worker = scene.random.choice(sorted(set(scene.fleet.owners().values())) or [0])
        dead = scene.network.proxy(worker).silence()
        scene.timeline.note("silence", worker=worker, connections=dead)

    def heal(self, scene: Scene) -> None:
        """Nothing to do."""


class Cut(_Ruled):
    """One worker no longer reaches what answers these APIs, or is no longer reached, or both.

    Nothing is refused and nothing closed. What was on its way when it heals arrives then, also from
    connections that were given up meanwhile.
    """

    def __init__(
        self,
        name: str,
        *,
        apis: Collection[Api] | None = None,
        directions: Iterable[Direction] = BOTH,
        is_one_node: bool = False,
    ) -> None:
        super().__init__()
        self.name = f"cut-{name}"
        self._apis = apis
        self._directions = sorted(directions, key=lambda one: one.value)
        self._is_one_node = is_one_node

    def inject(self, scene: Scene) -> None:
        worker = scene.random.choice(scene.fleet.alive or [0])
        proxy = scene.network.proxy(worker)
        nodes = [scene.random.choice(proxy.nodes)] if self._is_one_node else None
        scene.timeline.note("cut", worker=worker, nodes=nodes)
        for direction in self._directions:
            pattern = Pattern(direction=direction, apis=self._apis, nodes=nodes)
            self._rules.append(proxy.hold(pattern))


class HeldRequest:
    """One request of a worker's transaction arrives in the middle of the next transaction.

    1. Hold the request, and cut the connection that it came over; the client asks again by itself.
    2. Wait until the next transaction has written something, and stop it before its end.
    3. Let the late request arrive, and be answered; then let the transaction go on.
    """

    hold_s = 0.0

    def __init__(self, api: Api) -> None:
        self.name = f"held-{api.name.lower().replace('_', '-')}"
        self.answers: list[Frame] = []
        """What the broker said to the late requests, each in the middle of a transaction."""
        self._api = api

    def inject(self, scene: Scene) -> None:
        worker = scene.random.choice(sorted(set(scene.fleet.owners().values())) or [0])
        proxy = scene.network.proxy(worker)
        held = proxy.hold(_requests(self._api), most=1)
        try:
            if not held.wait(1, _LOOK_S):
                raise NothingToHarm(f"worker {worker} sent no such request")
            self._arrive_late(proxy, held)
            scene.timeline.note("late", worker=worker, answers=len(self.answers))
        finally:
            held.end()

    def heal(self, scene: Scene) -> None:
        """Nothing to do: `inject` leaves no rule behind."""

    def _arrive_late(self, proxy: Proxy, held: Rule) -> None:
        (request,) = held.frames
        wrote = proxy.watch(Pattern(direction=Direction.ANSWER, apis={Api.PRODUCE}))
        stopped = proxy.hold(_requests(_BEFORE_THE_END[self._api]), most=1, aside=True)
        proxy.reset({request.link})
        answered = proxy.watch(
            Pattern(
                direction=Direction.ANSWER,
                apis={self._api},
                where=lambda frame: frame.link == request.link,
            )
        )
        try:
            if stopped.wait(1, _LOOK_S) and wrote.wait(1, _LOOK_S):
                held.release()
                if answered.wait(1, _LOOK_S):
                    self.answers.extend(answered.frames)
        finally:
            for rule in (wrote, stopped, answered):
                rule.end()


def end_txn_error(answer: Frame) -> int:
    """The error code in an answer to EndTxn as librdkafka asks it (version 1)."""
    assert answer.api == Api.END_TXN
    assert answer.version == 1
    return int.from_bytes(answer.data[8:10], "big", signed=True)


def _requests(api: Api) -> Pattern:
    return Pattern(direction=Direction.REQUEST, apis={api})
