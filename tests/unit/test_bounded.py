"""Calls into the client that may never return."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from streams.clock import Deadline
from streams.kafka.bounded import within


def test_a_call_that_returns_in_time_is_as_if_made_here():
    """The limit is for the one call in a million."""
    assert 3 == within(Deadline.after(5), lambda: 3)


def test_an_error_of_the_call_is_raised_here():
    """The caller tells errors by their kind."""
    with pytest.raises(ZeroDivisionError):
        within(Deadline.after(5), lambda: 1 // 0)


def test_a_call_that_never_returns_is_left_behind():
    """A worker that hangs holds its partitions for minutes; one that knows goes on."""
    never = threading.Event()

    with pytest.raises(TimeoutError, match="no return from the client"):
        within(Deadline.after(0.05), never.wait)
    never.set()


def test_the_error_of_a_call_does_not_keep_its_client_alive():
    """A dropped client that lives on asks for its producer id again and fences its successor.

    The worker's loop runs without the cyclic collector.
    """

    class Client:
        def fail(self):
            raise ZeroDivisionError

    client = Client()
    alive = weakref.ref(client)
    gc.disable()
    try:
        with pytest.raises(ZeroDivisionError) as kept:
            within(Deadline.after(5), client.fail)
        del client
        deadline, pause = Deadline.after(5), threading.Event()
        while alive() is not None and not deadline.is_over:
            pause.wait(0.01)  # the call's thread is about to end

        assert alive() is None
        assert kept.value is not None
    finally:
        gc.enable()
