"""One client's connection through the proxy, and the one to its broker. Owned by the event loop.

Not obvious: a client that goes away does not take its held requests with it. The connection to the
broker stays until they went out, as packets that are on their way arrive after a client's end.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.proxy import frames
from tests.faults.proxy.addresses import AddressBook
from tests.faults.proxy.frames import SIZE_BYTES, Frame
from tests.faults.proxy.rules import ASIDE, HELD, Rule, Rulebook, Treatment

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A frame on its way: not before its gate is open, if it has one."""

    frame: Frame
    gate: asyncio.Event | None = None


class Way:
    """One direction: frames go out in the order they came in, but for those held aside."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        rules: Rulebook,
        *,
        reset: Callable[[], None],
        on_sent: Callable[[Frame], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._rules = rules
        self._reset = reset
        self._on_sent = on_sent
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[_Sent | None] = asyncio.Queue()
        self._aside = 0

    async def read(self, frame_of: Callable[[bytes], Frame]) -> None:
        """Take frames in until the sender is gone."""
        try:
            while True:
                size = int.from_bytes(await self._reader.readexactly(SIZE_BYTES), "big")
                self._treat(frame_of(await self._reader.readexactly(size)))
        except (asyncio.IncompleteReadError, OSError):
            self._queue.put_nowait(None)

    async def write(self) -> None:
        """Send frames on until the sender is gone and nothing of it is held."""
        is_ended = False
        while not (is_ended and not self._aside and self._queue.empty()):
            sent = await self._queue.get()
            if sent is None:
                is_ended = True
                continue
            if sent.gate is not None:
                await sent.gate.wait()
            await self._send(sent.frame)

    def _treat(self, frame: Frame) -> None:
        rule = self._rules.judge(frame)
        if rule is None or rule.treatment is Treatment.PASS:
            self._queue.put_nowait(_Sent(frame))
        elif rule.treatment in ASIDE:
            self._put_aside(frame, rule)
        elif rule.treatment in {Treatment.HOLD, Treatment.DELAY}:
            gate = asyncio.Event()
            self._queue.put_nowait(_Sent(frame, gate))
            self._open_later(rule, gate.set)
        elif rule.treatment is Treatment.RESET:
            self._reset()

    def _put_aside(self, frame: Frame, rule: Rule) -> None:
        self._aside += 1

        def bring_back() -> None:
            self._aside -= 1
            self._queue.put_nowait(_Sent(frame))

        self._open_later(rule, bring_back)

    def _open_later(self, rule: Rule, opener: Callable[[], None]) -> None:
        if rule.treatment in HELD:
            rule.hold(lambda: self._soon(opener))
        else:
            self._loop.call_later(rule.delay_s, opener)

    def _soon(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    async def _send(self, frame: Frame) -> None:
        if self._writer.transport.is_closing():
            self._rules.count("frames for nobody")
            return
        self._on_sent(frame)
        try:
            self._writer.write(frame.wire)
            await self._writer.drain()
        except OSError:
            self._rules.count("frames for nobody")


class Link:
    """Both directions, and the requests that are not answered yet."""

    def __init__(self, number: int, node: int, rules: Rulebook, addresses: AddressBook) -> None:
        self.number = number
        self.node = node
        self._rules = rules
        self._addresses = addresses
        self._client: asyncio.StreamWriter | None = None
        self._asked: dict[int, Frame] = {}
        self._unanswered: set[int] = set()
        self._is_broker_gone = False
        self._is_answered = asyncio.Event()
        self._is_answered.set()

    async def run(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        broker: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Carry frames until both ends are gone."""
        self._client = client[1]
        requests = Way(client[0], broker[1], self._rules, reset=self.reset, on_sent=self._note_sent)
        answers = Way(broker[0], client[1], self._rules, reset=self.reset, on_sent=_ignore)
        await asyncio.gather(
            requests.read(self._request),
            self._ask(requests, broker[1]),
            self._hear(answers),
            self._tell(answers, client[1]),
        )

    async def _ask(self, requests: Way, broker: asyncio.StreamWriter) -> None:
        """Send requests, late ones too; a broker answers nobody who hangs up, so stay for that."""
        await requests.write()
        await self._is_answered.wait()
        broker.close()

    async def _hear(self, answers: Way) -> None:
        await answers.read(self._answer)
        self._is_broker_gone = True
        self._is_answered.set()

    async def _tell(self, answers: Way, client: asyncio.StreamWriter) -> None:
        await answers.write()
        client.close()

    def reset(self) -> None:
        """Cut the client off as a firewall would: with a reset, in the middle of anything."""
        if self._client is None or self._client.transport.is_closing():
            return
        self._rules.count("connections reset")
        found = self._client.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._client.transport.abort()

    def _request(self, data: bytes) -> Frame:
        frame = frames.request(data, node=self.node, link=self.number)
        self._asked[frame.correlation] = frame
        return frame

    def _answer(self, data: bytes) -> Frame:
        asked = self._asked.pop(frames.correlation_of(data))
        self._unanswered.discard(asked.correlation)
        if not self._unanswered:
            self._is_answered.set()
        return frames.answer(self._addresses.rewritten(asked.api, data), asked)

    def _note_sent(self, frame: Frame) -> None:
        if not self._is_broker_gone:
            self._unanswered.add(frame.correlation)
            self._is_answered.clear()


def _ignore(_frame: Frame) -> None:
    """Answers are not answered."""
