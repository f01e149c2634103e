"""Serves delivery reports: a background thread, those who wait for receipts, their callbacks.

Emitting threads serve reports themselves, every few hundred records, and the background thread
serves while they rest: next to a busy emitter it would have to wait for the interpreter's lock
once a report.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from streams.clock import Deadline
from streams.errors import ClientClosed, DeliveryFailed, StreamsError
from streams.logs import get_logger
from streams.metrics import EMIT_FAILED
from streams.ports.producer import Producer
from streams.sdk.overdue import Overdue
from streams.sdk.receipt import Receipt

_POLL_S: Final = 0.05
"""One wait for reports: the longest time until `stop` is noticed."""

_YIELD_S: Final = 0.005
"""How long the background thread leaves the reports to busy emitters, at a time."""

_TIMED_AT_ONCE: Final = 16
"""Most records timed in one look at the reports: more would tell no more, and cost each emit."""

Callback = Callable[[Receipt], object]


class Delivery:
    """The books of one client's records. `start`, `stop`; stopping twice is fine."""

    def __init__(
        self,
        producer: Producer | None,
        tick: Callable[[], object] = lambda: None,
        patience_s: float = math.inf,
    ) -> None:
        self._producer = producer
        self._tick = tick  # run by the background thread after each poll
        self._overdue = Overdue(patience_s)  # the background thread's
        self._log = get_logger()
        self._settling = threading.Lock()
        self._changed = threading.Condition()  # guards the books below
        self._waiting = 0
        self._unseen = 0
        self._round = 1  # how often the unseen failures were taken, plus 1
        self._first: StreamsError | None = None
        self._given_up: list[Receipt] = []  # settled, though the producer has their records yet
        self._failed: deque[tuple[Receipt, Any]] = deque()
        self._due: deque[tuple[Callback, Receipt]] = deque()
        self.untimed = 0  # how many of the next reports are to be timed
        self._latencies: deque[tuple[str, float]] = deque()
        self._is_busy = False  # an emitting thread served reports a moment ago
        self._stopped = threading.Event()
        self._ended = ""
        self._left = 0  # records that not even a purge reported before the producer was let go
        self._thread = threading.Thread(target=self._run, name="streams-delivery", daemon=True)

    def start(self) -> None:
        """Begin to serve reports."""
        self._thread.start()

    def stop(self) -> None:
        """Run the callbacks of what is settled, then let the producer go."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        self._left = self.queued
        self._producer = None
        self._end("the client was closed before the record was acknowledged")

    @property
    def producer(self) -> Producer:
        """The producer; ClientClosed when it was let go."""
        if self._producer is None:
            raise ClientClosed(self._ended)
        return self._producer

    @property
    def queued(self) -> int:
        """Records whose receipts are not settled."""
        return self._left if self._producer is None else self._awaited(self._producer.queued)

    def serve(self, timeout_s: float = 0.0) -> None:
        """Take the reports that are there, waiting for the first at most `timeout_s`.

        For emitting threads; while they call it, the background thread keeps out of their way.
        """
        self._is_busy = True
        self._poll(timeout_s)

    def flush(self, timeout_s: float) -> int:
        """Wait until everything is settled; how many records are not after `timeout_s`."""
        deadline = Deadline.after(timeout_s)
        while True:
            self.untimed = _TIMED_AT_ONCE
            waiting = self._awaited(self.producer.flush(min(deadline.left_s, _POLL_S)))
            self._settle(self.producer)
            if waiting == 0 or deadline.is_over:
                return waiting

    def discard(self) -> None:
        """Give up what is left in the queue; its receipts fail."""
        if self.producer.queued:
            self.producer.discard()
            self._settle(self.producer)

    def await_soon(self, receipts: list[Receipt]) -> None:
        """Settle these, whose records were queued a moment ago, once they are overdue.

        For the background thread, or after it ended.
        """
        self._overdue.add(receipts)

    def raise_failures(self) -> None:
        """DeliveryFailed for failures that nobody looked at since the last call, and what waits."""
        with self._changed:
            unseen, first = self._unseen, self._first
            self._unseen, self._first = 0, None
            self._round += 1
        waiting = self.queued
        if unseen + waiting == 0:
            return
        self._log.error("events not acknowledged", action="lost", failed=unseen, waiting=waiting)
        raise DeliveryFailed(
            f"{unseen:,} events failed and {waiting:,} are not yet acknowledged"
            f"{f'; the first failure: {first}' if first else ''}",
            is_unknown=bool(waiting) or getattr(first, "is_unknown", False),
            count=unseen + waiting,
        )

    def wait(self, receipt: Receipt, timeout_s: float | None) -> None:
        """Return when a receipt is settled; TimeoutError when it is not in time."""
        if threading.current_thread() is self._thread:
            self._serve_until(receipt, timeout_s)
        else:
            self._wait_until(receipt, timeout_s)
        if receipt.done:
            return
        if self._ended:
            raise ClientClosed(f"{receipt.topic}: {self._ended}")
        raise TimeoutError(
            f"{receipt.topic}: found no acknowledgement within {timeout_s} s; the record is still "
            "queued or under way"
        )

    def refused(self, receipt: Receipt, error: Any) -> None:
        """Note the client's error; only after the poll may the client be asked what it means."""
        self._failed.append((receipt, error))

    def time(self, topic: str, latency_s: float | None) -> None:
        """Note how long a record took; for `latencies`, since a metric is too dear here."""
        self.untimed -= 1
        if latency_s is not None:
            self._latencies.append((topic, latency_s))

    def latencies(self) -> Iterator[tuple[str, float]]:
        """Topic and seconds of records that were timed, each given out once."""
        while self._latencies:
            yield self._latencies.popleft()

    def fail(self, receipt: Receipt, error: StreamsError) -> None:
        """Settle a receipt with a failure, which stays unseen until somebody looks at it."""
        EMIT_FAILED.labels(type(error).__name__).inc()
        with self._changed:
            receipt.error = error
            if not receipt.is_seen:
                receipt.counted_in = self._round
                self._unseen += 1
                self._first = self._first or error
        self.settled(receipt)

    def seen(self, receipt: Receipt) -> None:
        """Somebody looks at a receipt, so its failure need not be reported by flush or close."""
        with self._changed:
            receipt.is_seen = True
            if receipt.counted_in == self._round:
                receipt.counted_in = 0
                self._unseen -= 1

    def call_when_done(self, receipt: Receipt, callback: Callback) -> None:
        """Call back when settled, or now."""
        with self._changed:
            receipt.callbacks = [*(receipt.callbacks or ()), callback]
        if receipt.done:
            for taken in self._take_callbacks(receipt):
                taken(receipt)

    def settled(self, receipt: Receipt) -> None:
        """Put a settled receipt's callbacks in line for the background thread."""
        self._due.extend((callback, receipt) for callback in self._take_callbacks(receipt))

    def disown(self, why: str) -> None:
        """In the child of a fork: nobody serves reports here, so nobody may wait for them."""
        self._settling = threading.Lock()  # the old ones may be held by threads left behind
        self._changed = threading.Condition()
        if self._producer is not None:
            self._producer.abandon()
        self._producer = None
        self._end(why)

    def _settle(self, producer: Producer) -> None:
        """Explain failures and wake those who wait for a receipt; cheap when there are none."""
        with self._settling:  # a flush must not return while another thread is at it
            while self._failed:
                receipt, error = self._failed.popleft()
                if receipt.error is None:
                    self.fail(receipt, producer.explain(error, receipt.topic))
                else:
                    receipt.offset = -1  # it was given up before, and is nobody's business now
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    def _awaited(self, queued: int) -> int:
        """How many of the producer's records have receipts that are not settled."""
        with self._changed:
            self._given_up = [one for one in self._given_up if one.offset is None]
            return max(0, queued - len(self._given_up))

    def _give_up(self, producer: Producer) -> None:
        """Settle what is overdue. It stays queued, since it may be on its way, and in its order.

        Where nothing can be on its way all is taken out of the queue: what is said to be in no log
        must not get there late.
        """
        overdue = list(self._overdue.take())
        if not overdue:
            return
        if not producer.was_reached:
            self.discard()
            return
        with self._settling:
            for receipt in overdue:
                self.fail(receipt, producer.overdue(receipt.topic))
        with self._changed:
            self._given_up += overdue
            self._changed.notify_all()

    def _end(self, why: str) -> None:
        with self._changed:
            self._ended = why
            self._changed.notify_all()

    def _run(self) -> None:
        while not self._stopped.is_set() or self._due:
            try:
                self._poll_when_idle()
                while self._due:
                    callback, receipt = self._due.popleft()
                    callback(receipt)
                self._look()
            except Exception:
                self._log.exception("a callback raised", action="callback-failed")

    def _look(self) -> None:
        self._tick()
        producer = self._producer
        if producer is not None:
            self._give_up(producer)

    def _poll_when_idle(self) -> None:
        if self._is_busy:
            self._is_busy = False
            self._stopped.wait(_YIELD_S)
        else:
            self._poll(_POLL_S)

    def _wait_until(self, receipt: Receipt, timeout_s: float | None) -> None:
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: receipt.done or self._ended, timeout_s)
            finally:
                self._waiting -= 1

    def _serve_until(self, receipt: Receipt, timeout_s: float | None) -> None:
        """A callback waits for another receipt: nobody else would serve it."""
        deadline = Deadline.after(threading.TIMEOUT_MAX if timeout_s is None else timeout_s)
        while not (receipt.done or deadline.is_over):
            self._poll(min(_POLL_S, deadline.left_s))
            self._look()

    def _poll(self, timeout_s: float) -> None:
        producer = self._producer
        self.untimed = _TIMED_AT_ONCE
        if producer is not None and producer.poll(timeout_s):
            self._settle(producer)

    def _take_callbacks(self, receipt: Receipt) -> list[Callback]:
        """A receipt's callbacks, each given out once."""
        with self._changed:
            callbacks, receipt.callbacks = receipt.callbacks, None
        return callbacks or []
