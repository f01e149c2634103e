"""Calls into the client that may never return."""

from __future__ import annotations

import threading

import pytest

from streams.kafka.bounded import within


def test_a_call_that_returns_in_time_is_as_if_made_here():
    """The limit is for the one call in a million."""
    assert 3 == within(5, lambda: 3)


def test_an_error_of_the_call_is_raised_here():
    """The caller tells errors by their kind."""
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_a_call_that_never_returns_is_left_behind():
    """A worker that hangs holds its partitions for minutes; one that knows goes on."""
    never = threading.Event()

    with pytest.raises(TimeoutError, match="no return from the client"):
        within(0.05, never.wait)
    never.set()
