"""Traffic under which faults are injected: what the counters read, through the SDK's own client.

Each generator has a client of its own and the keys that fall to it, so that the events of a key
have one sender and one order. Now and then it sends one that the client must refuse.
"""

from __future__ import annotations

import faulthandler
import random
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Self

import msgspec

from schemas.social import CommentPosted
from services.counters import SERVICE
from streams.clock import Deadline, monotonic_s
from streams.errors import DeliveryFailed, InputError, Overloaded, StreamsError
from streams.events.message import Event
from streams.sdk import EventClient, Receipt
from streams.settings import EmitSettings, KafkaSettings
from streams.topics.catalog import Catalog
from tests.faults.history import History, digest_of
from tests.model.events import random_events

CATALOG = Catalog.of(CommentPosted)

_TURN_S = 0.02
_POOL_OF = 400_000  # events drawn from one pool of ids: enough keys to last, few enough to collide
_REFUSED_EVERY = 50  # comments
_TOO_LONG = "x" * 1_000_000
_DELIVERY_TIMEOUT_S = 60.0
_ENDED_WITHIN_S = 2 * _DELIVERY_TIMEOUT_S + 30.0  # a flush and a close each wait for all answers


class Workload:
    """`per_s` events a second from `generators` threads, until `stop`.

    The same seed gives the same events with the same ids, whatever becomes of them.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        history: History,
        *,
        seed: int,
        per_s: float = 300.0,
        generators: int = 2,
        delivery_timeout_s: float = _DELIVERY_TIMEOUT_S,
    ) -> None:
        self._kafka = kafka
        self._history = history
        self._per_s = per_s / generators
        self._emit = EmitSettings(delivery_timeout_s=delivery_timeout_s)
        self._stopping = threading.Event()
        self._sent = [0] * generators
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(number, seed, generators),
                name=f"generator-{number}",
                daemon=True,
            )
            for number in range(generators)
        ]

    @property
    def sent(self) -> int:
        """Events invoked so far."""
        return sum(self._sent)

    def stop(self) -> None:
        """Send nothing more; returns when all that was sent is answered. Raises what went wrong."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_ENDED_WITHIN_S)
            if thread.is_alive():
                faulthandler.dump_traceback()
                raise AssertionError(f"{thread.name} hangs; the stacks of all threads are above")
        if self._errors:
            raise self._errors[0]

    def _run(self, number: int, seed: int, of: int) -> None:
        try:
            self._generate(number, events_of(seed, number, of), random.Random(f"{seed}/{number}"))
        except BaseException as exc:
            self._errors.append(exc)

    def _generate(self, number: int, events: Iterator[Event], ids: random.Random) -> None:
        sequences: Counter[tuple[str, str]] = Counter()
        started_s, pause = monotonic_s(), Deadline.after(float("inf"))
        client = self._client()
        while not self._stopping.is_set():
            due = int((monotonic_s() - started_s) * self._per_s)
            while self._sent[number] < due and not self._stopping.is_set():
                event = msgspec.structs.replace(next(events), event_id=ids.randbytes(16))
                if not self._send(client, event, sequences):
                    _close(client)
                    client = self._client()
                self._sent[number] += 1
            pause.pause(_TURN_S)
        _close(client)

    def _client(self) -> EventClient:
        return EventClient(self._kafka, self._emit)

    def _send(self, client: EventClient, event: Event, sequences: Counter[tuple[str, str]]) -> bool:
        """Whether the client can go on."""
        topic, key = place_of(event)
        self._history.invoke(
            event.event_id,
            topic=topic,
            key=key,
            sequence=sequences[topic, key],
            digest=digest_of(event),
        )
        sequences[topic, key] += 1
        try:
            receipt = client.emit(event)
        except StreamsError as exc:  # then nothing was sent
            self._history.fail(event.event_id, str(exc))
            return isinstance(exc, (InputError, Overloaded))
        receipt.add_callback(partial(self._answered, event.event_id))
        return True

    def _answered(self, event_id: bytes, receipt: Receipt) -> None:
        error = receipt.error
        if error is None:
            partition = -1 if receipt.partition is None else receipt.partition
            self._history.ok(event_id, partition, -1 if receipt.offset is None else receipt.offset)
        elif is_certain(error):
            self._history.fail(event_id, str(error))
        else:
            self._history.unknown(event_id, str(error))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(_ENDED_WITHIN_S)


def is_certain(error: StreamsError) -> bool:
    """Whether an event that failed so can never be in the log."""
    return isinstance(error, DeliveryFailed) and not error.is_unknown


def place_of(event: Event) -> tuple[str, str]:
    """Topic and key of an event."""
    return (
        CATALOG.topic_of(type(event)).name,
        CATALOG.key_bytes(type(event))(event).decode(),
    )


def _close(client: EventClient) -> None:
    """Wait for all answers; those that say no have reached the history by their receipts."""
    with suppress(DeliveryFailed):
        client.flush()
    with suppress(DeliveryFailed):
        client.close()


def _drawn(seed: int) -> Iterator[Event]:
    for round_ in count():
        yield from random_events(seed + round_, _POOL_OF)


def events_of(seed: int, number: int = 0, of: int = 1) -> Iterator[Event]:
    """The events of one generator's keys; every so often one that no broker would take."""
    comments = 0
    for event in _drawn(seed):
        topic, key = place_of(event)
        if topic not in SERVICE.inputs or zlib.crc32(f"{topic}/{key}".encode()) % of != number:
            continue
        comments += isinstance(event, CommentPosted)
        is_refused = isinstance(event, CommentPosted) and comments % _REFUSED_EVERY == 0
        yield msgspec.structs.replace(event, text=_TOO_LONG) if is_refused else event
