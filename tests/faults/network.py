"""The way from each worker to Kafka: a proxy of its own, through which nothing else goes."""

from __future__ import annotations

import random
from contextlib import ExitStack
from typing import Self

from tests.faults.fleet import Fleet
from tests.faults.proxy import Proxy


class Network:
    """Stands between the workers of a fleet and the brokers once it is entered; before any start.

    Generators, readers and the checker keep the direct way: they see what is there.
    """

    def __init__(self, bootstrap_servers: str, fleet: Fleet, seed: int) -> None:
        self._proxies: list[Proxy] = []
        self._bootstrap_servers = bootstrap_servers
        self._seed = seed
        self._fleet = fleet
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

    def heal(self) -> None:
        """Everything arrives again, that which was held too."""
        for proxy in self._proxies:
            proxy.heal()

    def __enter__(self) -> Self:
        for worker in range(self._fleet.size):
            chance = random.Random(f"{self._seed} {worker}")
            proxy = self._stack.enter_context(Proxy(self._bootstrap_servers, randomness=chance))
            self._proxies.append(proxy)
            self._fleet.reach(worker, proxy.bootstrap_servers)
        self._is_entered = True
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()
