"""The way from each worker to Kafka: a proxy of its own, through which nothing else goes."""

from __future__ import annotations

import random
from collections.abc import Collection
from contextlib import ExitStack
from typing import Self

from tests.faults.fleet import Fleet
from tests.faults.proxy import Direction, Proxy
from tests.faults.wire import Wire


class Network:
    """Stands between the workers of a fleet and the brokers once it is entered; before any start.

    Generators, readers and the checker keep the direct way: they see what is there. `is_wired`:
    each worker lives in a namespace of its own, and its proxy at our end of the wire from there.
    """

    def __init__(
        self, bootstrap_servers: str, fleet: Fleet, seed: int, *, is_wired: bool = False
    ) -> None:
        self._proxies: list[Proxy] = []
        self._wires: list[Wire] = []
        self._bootstrap_servers = bootstrap_servers
        self._seed = seed
        self._fleet = fleet
        self._is_wired = is_wired
        self._stack = ExitStack()
        self._is_entered = False

    def proxy(self, worker: int) -> Proxy:
        """The one that a worker's frames go through."""
        assert self._is_entered, "wanted a trial with Plan(is_proxied=True)"
        return self._proxies[worker]

    @property
    def proxies(self) -> list[Proxy]:
        """Of all workers."""
        return [self.proxy(worker) for worker in range(len(self._proxies))]

    def lose(
        self, worker: int, directions: Collection[Direction], nodes: Collection[int] | None = None
    ) -> None:
        """Let the kernel drop a worker's packets to these nodes, or theirs to it, until `heal`."""
        assert self._wires, "wanted a trial with Plan(is_wired=True)"
        proxy = self.proxy(worker)
        ports = [proxy.port(node) for node in (proxy.nodes if nodes is None else nodes)]
        for direction in directions:
            self._wires[worker].lose(direction, ports)

    def mend(self, worker: int) -> None:
        """Lose none of its packets any more."""
        if self._wires:
            self._wires[worker].heal()

    def heal(self) -> None:
        """Everything arrives again, that which was held too."""
        for one in (*self._wires, *self._proxies):
            one.heal()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for worker in range(self._fleet.size):
                self._connect(worker, stack)
            self._stack = stack.pop_all()
        self._is_entered = True
        return self

    def _connect(self, worker: int, stack: ExitStack) -> None:
        host, through = "127.0.0.1", ()
        if self._is_wired:
            wire = stack.enter_context(Wire())
            self._wires.append(wire)
            host, through = wire.host, wire.through
        chance = random.Random(f"{self._seed} {worker}")
        proxy = Proxy(self._bootstrap_servers, host=host, randomness=chance)
        self._proxies.append(stack.enter_context(proxy))
        self._fleet.reach(worker, proxy.bootstrap_servers, through=through)

    def __exit__(self, *raised: object) -> None:
        self._stack.close()
