"""A proxy that speaks Kafka's framing: between one client, or several, and the brokers.

A test tells it from its own thread what to do with which frames, and reads what it did.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Collection, Coroutine
from functools import partial
from typing import Any, Self

from tests.faults.proxy.addresses import AddressBook, check_lengths, parsed
from tests.faults.proxy.frames import Direction
from tests.faults.proxy.link import Link
from tests.faults.proxy.rules import Pattern, Rule, Rulebook, Treatment

_CALL_S = 10.0
_BUFFER_BYTES = 1 << 20


class Proxy:
    """Stands for every broker of `bootstrap_servers`, each at a port of its own.

    Clients that are given `bootstrap_servers` of the proxy never learn the brokers' own addresses.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        host: str = "127.0.0.1",
        randomness: random.Random | None = None,
    ) -> None:
        self._brokers = [parsed(one) for one in bootstrap_servers.split(",")]
        check_lengths(self._brokers, host)
        self._host = host
        self._rules = Rulebook(randomness or random.Random(0))
        self._links: dict[int, Link] = {}
        self._servers: list[asyncio.Server] = []
        self._ports: list[int] = []
        self._addresses = AddressBook({})
        self._made = 0
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._note_failure)
        self._failures: list[str] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, once it runs."""
        return ",".join(f"{self._host}:{port}" for port in self._ports)

    @property
    def nodes(self) -> range:
        """Numbers of the brokers, in the order they were given."""
        return range(len(self._brokers))

    def port(self, node: int) -> int:
        """Where clients find the broker of that number."""
        return self._ports[node]

    def node_of(self, address: str) -> int:
        """The number of the broker that clients know by this address of the proxy."""
        return self._ports.index(parsed(address)[1])

    @property
    def counts(self) -> Counter[tuple[str, str, int]]:
        """What it did: how often, by treatment, direction and API key."""
        return self._rules.counts()

    def watch(self, pattern: Pattern) -> Rule:
        """Frames that go through and are remembered."""
        return self._rules.add(pattern, Treatment.PASS)

    def delay(
        self, pattern: Pattern, least_s: float, most_s: float, *, keeps_order: bool = True
    ) -> Rule:
        """Each frame late by a time between these; without order, later ones may overtake it."""
        treatment = Treatment.DELAY if keeps_order else Treatment.DELAY_ASIDE
        return self._rules.add(pattern, treatment, delay_s=(least_s, most_s))

    def drop(self, pattern: Pattern, *, chance: float = 1.0, most: int | None = None) -> Rule:
        """Frames that never arrive, while their connection stays."""
        return self._rules.add(pattern, Treatment.DROP, chance=chance, most=most)

    def hold(self, pattern: Pattern, *, most: int | None = None, aside: bool = False) -> Rule:
        """Frames that wait until the rule releases them; all behind them wait, unless aside."""
        treatment = Treatment.HOLD_ASIDE if aside else Treatment.HOLD
        return self._rules.add(pattern, treatment, most=most)

    def reset_on(self, pattern: Pattern, *, chance: float = 1.0, most: int | None = None) -> Rule:
        """Connections that are reset by the frame they would have carried."""
        return self._rules.add(pattern, Treatment.RESET, chance=chance, most=most)

    def cut(
        self, directions: Collection[Direction], nodes: Collection[int] | None = None
    ) -> list[Rule]:
        """Nothing arrives any more, and nobody is told; what was sent arrives after the end."""
        return [self.hold(Pattern(direction=one, nodes=nodes)) for one in directions]

    def silence(self) -> int:
        """Nothing arrives any more over the connections that there are; how many those were."""
        dead = frozenset(self._links)
        for direction in Direction:
            self.drop(Pattern(direction=direction, where=lambda frame: frame.link in dead))
        return len(dead)

    def reset(self, links: Collection[int] | None = None) -> None:
        """Reset these connections of clients, or all."""
        self._call(self._reset(links))

    def heal(self) -> None:
        """End every rule; what is held goes on its way."""
        self._rules.end_all()

    async def _reset(self, links: Collection[int] | None) -> None:
        for number in list(self._links) if links is None else links:
            if number in self._links:
                self._links[number].reset()

    async def _listen(self) -> None:
        for node in range(len(self._brokers)):
            server = await asyncio.start_server(
                partial(self._serve, node), self._host, 0, limit=_BUFFER_BYTES
            )
            self._servers.append(server)
            self._ports.append(server.sockets[0].getsockname()[1])
        stand_for = {
            broker: (self._host, port)
            for broker, port in zip(self._brokers, self._ports, strict=True)
        }
        self._addresses = AddressBook(stand_for)

    async def _serve(
        self, node: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry one client's frames until it is gone; without a broker it is turned away."""
        try:
            broker = await asyncio.open_connection(*self._brokers[node], limit=_BUFFER_BYTES)
        except OSError:
            self._rules.count("connections without a broker")
            writer.close()
            return
        self._made += 1
        self._rules.count("connections")
        link = self._links[self._made] = Link(self._made, node, self._rules, self._addresses)
        try:
            await link.run((reader, writer), broker)
        finally:
            del self._links[link.number]
            for one in (writer, broker[1]):
                one.transport.abort()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _note_failure(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, asyncio.CancelledError):  # that is our own doing, at the end
            self._failures.append(f"{context['message']}: {error!r}")

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_S)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_raised: object) -> None:
        """Close every connection; what is held is lost."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._failures:
            raise RuntimeError(f"the proxy itself failed: {self._failures}")
