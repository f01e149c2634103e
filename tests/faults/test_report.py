"""The tables say what the summaries say."""

from __future__ import annotations

from typing import Any

from tests.faults.report import QUIET, markdown, recoveries_alone


def recovery(fault: str, injected_s: float, healed_s: float, took_s: float | None) -> Any:
    return {"fault": fault, "injected_s": injected_s, "healed_s": healed_s, "took_s": took_s}


def summary(*recoveries: Any, verdict: Any = "green") -> Any:
    return {
        "plan": {"seed": 7, "protocol": "classic", "workers": 3, "hosts": 1},
        "nodes": 3,
        "seconds": 90.0,
        "events": 9_000,
        "records": 30_000,
        "verdict": verdict,
        "longest_stall_s": 4.5,
        "highest_rss_mb": 130,
        "recoveries": list(recoveries),
        "worker_ends": [
            {"index": 0, "pid": 1, "code": 70, "at_s": 3.0, "is_wanted": False},
            {"index": 0, "pid": 2, "code": -9, "at_s": 9.0, "is_wanted": True},
        ],
    }


def test_a_red_run_is_counted_and_named():
    """A report that hides what failed is worse than none."""
    text = markdown([summary(), summary(verdict={"C9": 4})])

    assert "1 red verdicts" in text
    assert "red: C9 x 4" in text
    assert "1 x 70" in text


def test_a_recovery_that_never_came_is_said():
    """It has no time; left out, the worst would look best."""
    text = markdown([summary(recovery(QUIET, 0, 1, 2.5), recovery(QUIET, 10, 11, None))])

    assert "2.5, at most 2.5, 1 not in time" in text


def test_only_recoveries_without_another_fault_in_their_time_count_as_its_own():
    """Two faults at once recover as slowly as the worse of them."""
    lone = recovery("kill-worker", 1, 2, 3.0)
    pair = recovery("freeze-worker", 10, 15, 2.0), recovery("latency", 14, 16, 3.0)
    quiet = recovery(QUIET, 20, 20, 1.0)

    assert [lone] == list(recoveries_alone(summary(lone, *pair, quiet)))
