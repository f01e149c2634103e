"""The benchmarks' own parts: a stopwatch that cannot be fooled, and a report that hides nothing."""

from __future__ import annotations

import sys

import pytest

from tests.benchmarks.answers import wrong
from tests.benchmarks.field import BARE, OURS, STREAMS_AS_DOCUMENTED, STREAMS_IN_MEMORY, systems
from tests.benchmarks.latency import percentile
from tests.benchmarks.machine import Machine
from tests.benchmarks.picture import stacked_bar
from tests.benchmarks.report import markdown, missed
from tests.benchmarks.results import Results
from tests.benchmarks.stopwatch import Measured, ProgramFailed, measure
from tests.benchmarks.trial import Trial
from tests.benchmarks.workload import Workload

MACHINE = Machine(cpu="a cpu", cores=2, memory_gb=24, commit="abc1234")


def program(text):
    return [sys.executable, "-c", text]


def trial(seconds, wrong=0):
    measured = Measured(seconds=seconds, cpu_s=1.0, rss_mb=100.0, broker_cpu_s=None)
    return Trial(events=1_000, measured=measured, wrong=wrong)


def test_a_program_is_measured_between_its_two_lines():
    """Start-up and what comes after the last commit are nobody's throughput."""
    text = "print('noise'); print('start', flush=True); print('end'); print('{\"outputs\": 7}')"

    measured = measure(program(text), {})

    assert measured.seconds >= 0
    assert measured.rss_mb > 0
    assert {"outputs": 7} == measured.facts


@pytest.mark.parametrize(
    "text",
    [
        "print('start')",
        "print('start'); print('end'); raise SystemExit(3)",
        "raise RuntimeError('no broker')",
        "import threading; threading.Event().wait()",
    ],
)
def test_a_program_that_does_not_finish_has_no_time(text):
    """A crash, a hang or a missing line is a failure with its reason, never a fast run."""
    with pytest.raises(ProgramFailed):
        measure(program(text), {}, timeout_s=2)


def test_a_program_gets_its_options_as_json():
    """One way to start them all, in whatever language they are."""
    text = (
        "import json, sys; given = json.loads(sys.argv[1]); assert given == {'events': 5}; "
        "print('start'); print('end')"
    )

    assert {} == measure(program(text), {"events": 5}).facts


@pytest.mark.parametrize(
    ("expected", "found", "count"),
    [({1: 2}, {1: 2}, 0), ({1: 2}, {1: 3}, 1), ({1: 2}, {}, 1), ({1: 0}, {}, 0), ({}, {9: 1}, 1)],
)
def test_every_photo_is_compared(expected, found, count):
    """Missing and invented ones are wrong as well; a count of 0 need not be written."""
    assert count == wrong(expected, found)


def test_a_percentile_is_a_value_that_occurred():
    """Nearest rank, so that a tail is not smoothed away."""
    values = [float(one) for one in range(1, 101)]

    assert [50.0, 99.0, 100.0] == [percentile(values, one) for one in (50, 99, 99.9)]


@pytest.mark.parametrize("shape", ["zipf", "uniform", "half", "fans", "keys"])
def test_a_workload_is_the_same_each_time(shape):
    """Otherwise the recount would be of other events."""
    workload = Workload(count=500, shape=shape, before=20)

    first = [(type(one), one.user_id, one.photo_id) for one in workload.events()]

    assert first == [(type(one), one.user_id, one.photo_id) for one in workload.events()]
    assert workload.total == len(first)


def test_each_event_of_the_shape_keys_has_a_photo_of_its_own():
    """As many states as events."""
    photos = {one.photo_id for one in Workload(count=1_000, shape="keys").events()}

    assert 1_000 == len(photos)


def test_the_report_names_what_was_missed_and_what_was_wrong():
    """A wrong answer has no ratio, and a missed target is written down as such."""
    results = Results()
    results.trials["members"] = {OURS: [trial(1.0)], BARE: [trial(0.1)]}
    results.trials["count"] = {OURS: [trial(1.0, wrong=3)], BARE: [trial(1.0)]}

    text = markdown(results, MACHINE, systems(), has_picture=False)

    assert 0.1 == pytest.approx(results.ratio("members", OURS, BARE))
    assert results.ratio("count", OURS, BARE) is None
    assert any("members, x bare consume: found 0.10" in line for line in missed(results))
    assert [f"count, {OURS}: 3 of the answers are wrong"] == results.wrong
    assert "3 WRONG" in text
    assert "MISSED" in text


def test_the_fastest_of_kafka_streams_is_whichever_was():
    """Not the setting we expected to be: the ratio is to the best of the run."""
    results = Results()
    results.trials["count"] = {
        OURS: [trial(1.0)],
        STREAMS_AS_DOCUMENTED: [trial(1.25)],
        STREAMS_IN_MEMORY: [trial(2.0)],
    }

    assert any("count, x Kafka Streams, fastest: found 1.25" in line for line in missed(results))


def test_the_picture_shows_every_step():
    """Shares of one bar, each with its seconds."""
    picture = stacked_bar({"decode": 3.0, "fold": 1.0}, "a title")

    assert "decode: 3.00 s, 75%" in picture
    assert "fold: 1.00 s, 25%" in picture
