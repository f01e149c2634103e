"""The report says what the folders of runs say, of red and broken runs too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.nemesis import QUIET, plan_of
from tests.faults.report import MARKER, text_of, with_what_people_wrote
from tests.faults.run import Run
from tests.faults.runs import folder_of, log_of, read_runs
from tests.faults.tables import properties, recoveries_alone


def recovery(fault: str, injected_s: float, healed_s: float, took_s: float | None) -> Any:
    return {"fault": fault, "injected_s": injected_s, "healed_s": healed_s, "took_s": took_s}


def summary(*recoveries: Any, verdict: Any = "green") -> Any:
    return {
        "plan": {"seed": 7, "protocol": "classic", "workers": 3, "hosts": 1},
        "nodes": 3,
        "seconds": 90.0,
        "events": 9_000,
        "records": 30_000,
        "results": 21_000,
        "faults": {"kill-worker": 4},
        "verdict": verdict,
        "longest_stall_s": 4.5,
        "highest_rss_mb": 130,
        "recoveries": list(recoveries),
        "worker_ends": [
            {"index": 0, "pid": 1, "code": 70, "at_s": 3.0, "is_wanted": False},
            {"index": 0, "pid": 2, "code": -9, "at_s": 9.0, "is_wanted": True},
        ],
    }


@pytest.fixture
def text_with(tmp_path):
    """The report on a green run and on one with this summary; without one, on a broken run."""

    def make(found: Any = None) -> str:
        for seed, one in ((7, summary()), (8, found)):
            folder = folder_of(tmp_path, seed, "classic")
            folder.mkdir()
            Run(plan_of(seed, "classic"), 3, []).write(folder)
            if one is not None:
                (folder / "summary.json").write_text(json.dumps(one))
        return text_of(read_runs([tmp_path]))

    return make


def row(text: str, first: str) -> list[str]:
    """The cells of the table's line that begins with this."""
    (line,) = [one for one in text.splitlines() if one.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_a_red_run_is_counted_and_named(text_with):
    """A report that hides what failed is worse than none."""
    text = text_with(summary(verdict={"C9": 4}))

    assert "runs that are not green: 1." in text
    assert "RED: C9 x 4" in row(text, "8-classic")
    assert "1 x 70" in row(text, "8-classic")
    assert ["1 of 2", "8-classic"] == row(text, "C9")[2:]
    assert ["2 of 2", "none"] == row(text, "C10")[2:]


def test_a_run_without_a_verdict_is_in_the_table(text_with, tmp_path):
    """It broke, or somebody ended it: what it did until then is known, and why it ended."""
    text_with()
    folder = folder_of(tmp_path, 8, "classic")
    begin = {"at_s": 60.0, "what": "inject", "fault": "latency"}
    (folder / "timeline.jsonl").write_text(json.dumps(begin) + '\n{"at_s": 61')
    log_of(folder).write_text("  60.0 s  inject\nRuntimeError: no disk\n")

    text = text_of(read_runs([tmp_path]))

    assert "no verdict: RuntimeError: no disk" in row(text, "8-classic")
    assert "1.0" == row(text, "8-classic")[3]
    assert "- 8-classic: latency 1" in text
    assert "1 of 1" == row(text, "C1")[2]


def test_a_recovery_that_never_came_is_said(text_with):
    """It has no time; left out, the worst would look best."""
    never, soon = recovery("kill-worker", 10, 11, None), recovery("kill-worker", 1, 2, 2.5)
    rounds = recovery(QUIET, 0, 5, 2.5), recovery(QUIET, 10, 11, None)

    text = text_with(summary(soon, never, *rounds))

    assert "2.5, at most 2.5, 1 not in time" in row(text, "8-classic")
    found = row(text, "kill-worker")
    assert ["2", "not in time", "not in time", "8-classic", "15", "NO"] == found[2:8]


def test_only_recoveries_without_another_fault_in_their_time_count_as_its_own():
    """Two faults at once recover as slowly as the worse of them."""
    lone = recovery("kill-worker", 1, 2, 3.0)
    pair = recovery("freeze-worker", 10, 15, 2.0), recovery("latency", 14, 16, 3.0)
    quiet = recovery(QUIET, 20, 20, 1.0)

    assert [lone] == list(recoveries_alone([lone, *pair, quiet]))


def test_every_property_is_explained(text_with):
    """Who was not there does not know what C8 is."""
    text = text_with()

    assert [f"C{number}" for number in range(1, 15)] == [name for name, _ in properties()]
    assert all(meaning == row(text, name)[1] for name, meaning in properties())


def test_what_people_wrote_outlives_a_new_report():
    """What was repaired cannot be told from folders."""
    first = with_what_people_wrote("numbers\n", "")
    written = first + "\n## What failed\n\nEverything.\n"

    again = with_what_people_wrote("other numbers\n", written)

    assert again.startswith("other numbers\n")
    assert again.endswith(f"{MARKER}\n\n## What failed\n\nEverything.\n")
    assert again == with_what_people_wrote("other numbers\n", again)
