"""Public data with known answers, through the SDK and the running service."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from streams.sdk import EventClient
from tests.acceptance.datasets import with_redeliveries
from tests.acceptance.home import COUNTERS, until
from tests.acceptance.igclone import expected_igclone, igclone, igclone_answers
from tests.acceptance.ldbc_snb import expected_ldbc_snb, ldbc_answers, ldbc_snb
from tests.model.recount import recount

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

DATA = {
    "igclone": (igclone, expected_igclone, igclone_answers),
    "ldbc_snb": (ldbc_snb, expected_ldbc_snb, ldbc_answers),
}


def emit(home, events):
    with EventClient(home.kafka) as client:
        client.emit_many(events)


def check(home, name, events):
    """The known answers, and every field of every counter by an independent recount."""
    _, expected, answers = DATA[name]
    found = {topic: home.dump(topic) for topic in COUNTERS}

    assert recount(events).by_topic() == found
    assert expected() == answers(found["counters.photos"], found["counters.users"])


@pytest.mark.parametrize("name", DATA)
def test_one_worker_gives_the_known_answers(home, name):
    """The plain way: everything is emitted, then one worker counts it and stops."""
    events = DATA[name][0]()
    emit(home, events)

    home.done("run", "counters", "--until-caught-up")

    check(home, name, events)


@pytest.mark.parametrize("name", DATA)
def test_three_workers_count_duplicates_once(home, name):
    """Every tenth event comes a second time under its own id, as after a retry of its emitter."""
    events = DATA[name][0]()
    with home.start("run", "counters", "--workers", "3"):
        until(lambda: home.has_workers(3), 60, "three workers that own partitions")
        emit(home, with_redeliveries(events, seed=7))
        home.catch_up()

        check(home, name, events)


@pytest.mark.parametrize("name", DATA)
def test_a_worker_killed_in_mid_stream_changes_no_answer(home, name):
    """SIGKILL while events are still arriving; the two others and the successor take over."""
    events = with_redeliveries(DATA[name][0](), seed=8)
    third = len(events) // 3
    with home.start("run", "counters", "--workers", "3") as service:
        until(lambda: home.has_workers(3), 60, "three workers that own partitions")
        emit(home, events[:third])
        rest = threading.Thread(target=emit_slowly, args=(home, events[third:]))
        rest.start()
        victim = home.workers()[1]
        until(lambda: home.results("counters.photos"), 30, "a first result")
        os.kill(victim.pid, signal.SIGKILL)
        was_in_mid_stream = rest.is_alive()
        rest.join()
        home.catch_up()

        check(home, name, events)
        assert was_in_mid_stream
        assert [-signal.SIGKILL] == [line["code"] for line in service.said("restart")]


def emit_slowly(home, events):
    """In small groups, so that some seconds of the stream are still to come."""
    pause = threading.Event()
    with EventClient(home.kafka) as client:
        for at in range(0, len(events), 500):
            client.emit_many(events[at : at + 500])
            pause.wait(0.1)
