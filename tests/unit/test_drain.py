"""The time to stop: no limit until something is told to end, then one that all its waits share."""

from __future__ import annotations

import math
import signal
import threading

import pytest

from streams.clock import Deadline, Drain

LONG_S = 600.0


def test_before_it_begins_there_is_no_limit():
    """A worker waits for its broker as long as it may live."""
    drain = Drain(1)

    assert not drain.is_begun
    assert math.inf == drain.left_s
    assert not Deadline.after(LONG_S, drain).is_over


def test_a_deadline_made_before_comes_early_when_it_begins():
    """The call that is being made when SIGTERM comes was given its time before."""
    drain = Drain(0)
    deadline = Deadline.after(LONG_S, drain)

    drain.begin()

    assert deadline.is_over
    assert 0 == deadline.at_most(5).left_s


def test_it_does_not_lengthen_a_deadline():
    """Each step keeps its own limit."""
    drain = Drain(LONG_S)
    drain.begin()

    assert Deadline.after(0, drain).is_over
    assert Deadline.after(LONG_S, drain).at_most(0).is_over


def test_only_its_first_beginning_counts():
    """A second SIGTERM, or `stop` after it, gives no more time."""
    drain = Drain(0)
    drain.begin()
    drain.seconds = LONG_S

    drain.begin()

    assert 0 == drain.left_s


@pytest.mark.timeout(30)
def test_a_wait_ends_when_it_begins():
    """Also for a wait that comes after, and for the next one."""
    drain = Drain(1)
    threading.Timer(0.05, drain.begin).start()

    drain.wait(LONG_S)
    drain.wait(LONG_S)

    assert drain.is_begun


@pytest.mark.timeout(30)
def test_a_signal_may_begin_it_while_its_thread_waits():
    """The handler runs in the thread that waits, wherever that is."""
    drain = Drain(1)
    before = signal.signal(signal.SIGUSR1, lambda *_: drain.begin())
    try:
        me = threading.get_ident()
        threading.Timer(0.05, signal.pthread_kill, [me, signal.SIGUSR1]).start()
        drain.wait(LONG_S)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert drain.is_begun


@pytest.mark.timeout(30)
def test_a_pause_ends_when_what_it_waits_within_does():
    """Those who try something again and again must notice that there is no point any more."""
    drain = Drain(1)
    threading.Timer(0.05, drain.begin).start()

    Deadline.after(LONG_S, drain).pause(LONG_S)

    assert drain.is_begun
    Deadline.after(LONG_S).pause(0.01)
    Deadline.after(0.01).pause()


def test_a_pause_lasts_when_its_end_had_begun_before(monkeypatch):
    """Who tries again until the drain is over would else try as fast as it can."""
    drain = Drain(LONG_S)
    drain.begin()
    waited = []
    monkeypatch.setattr(Drain, "wait", lambda drain, s: waited.append((drain.is_begun, s)))

    Deadline.after(LONG_S, drain).pause(7)

    assert [(False, 7)] == waited
