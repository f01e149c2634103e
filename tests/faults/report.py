"""The report on many runs, from what their folders hold.

    python -m tests.faults.report chaos                                   print it
    python -m tests.faults.report chaos --into tests/faults/REPORT.md     or write it: make report

What stands in the file behind its marker was written by people, and stays as it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults.runs import Summary, read_runs
from tests.faults.tables import (
    TARGET_OF_A_KILL_S,
    TARGET_S,
    list_of_faults,
    table_of_faults,
    table_of_properties,
    table_of_runs,
    totals,
)

MARKER: Final = "<!-- What follows is written by hand; `make report` leaves it alone. -->"

_INTRODUCTION: Final = """\
# Exactly once when things break

The counters service promises that every event changes its counters once, whatever breaks. These
are runs that tried to make it lie. In each, 2 to 4 worker processes read a real Kafka of the nodes
named below; two generators sent social events all the time and noted what they were told of each;
and a program drew faults from a seed, up to three at the same time, for a minute each round. Then
everything was healed, the service had to read what was left, and after 10 quiet seconds the next
round began. Runs called `each-…` took every fault once instead, one by one.

When a run was over its checker recomputed every value that was ever published from the events in
the log, with rules that share nothing with the service's code, and compared: the results in their
order, the local stores, the committed positions, what a reader saw meanwhile, and what a client was
answered. A run is green when every property below held. Nothing is left out of the tables: a run
that is red, or that came to no verdict, stands in its line.

How to have one again: `make chaos SEED=… PROTOCOL=… MINUTES=…`, or `make chaos REPLAY=<its folder>`
where that was kept. The seed fixes the events, the workers and the schedule of faults, not how the
operating system interleaves them."""

_RUNS: Final = """\
`faults` are those that were injected; one that found nothing to harm (its node was down already) is
not counted. `longest stall`: how long some partition had something to read and its committed
position stood still, at worst, while faults were there as well as after. `rounds recovered in`:
seconds from the healing of a whole round until all that stood in the inputs then was read and
committed, the median and the worst of the run's rounds. `ends not asked for`: how often a worker
ended by itself and was started again, by exit code; 70 is "try again", 1 is "needs a human"."""

_FAULTS: Final = f"""\
The seconds are from the end of a fault until everything that stood in the inputs at that moment was
read and committed. Only faults count in whose time nothing else was harmed (`alone`). The target is
{TARGET_S:g} s, and {TARGET_OF_A_KILL_S:g} s for those that are nothing but SIGKILL of workers. A
position is looked at twice a second."""


def text_of(runs: Sequence[Summary]) -> str:
    """All that is not written by hand."""
    parts = (
        _INTRODUCTION,
        f"**{totals(runs)}**",
        "## The runs",
        _RUNS,
        table_of_runs(runs),
        "## What was checked",
        table_of_properties(runs),
        "## Faults, and how soon they were recovered from",
        _FAULTS,
        table_of_faults(runs),
        "## What was injected in each run",
        list_of_faults(runs),
    )
    return "\n\n".join(parts) + "\n"


def with_what_people_wrote(text: str, before: str) -> str:
    """The new text, and behind the marker what stood there before."""
    theirs = before.partition(MARKER)[2] or "\n"
    return f"{text}\n{MARKER}{theirs}"


def main() -> None:
    """Print the report, or write it to a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, help="folders of runs' folders")
    parser.add_argument("--into", type=Path, help="a file")
    asked = parser.parse_args()
    text = text_of(read_runs(asked.folders))
    if asked.into is None:
        print(text)
        return
    before = asked.into.read_text(encoding="utf-8") if asked.into.exists() else ""
    asked.into.write_text(with_what_people_wrote(text, before), encoding="utf-8")


if __name__ == "__main__":
    main()
