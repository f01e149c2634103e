"""Tables of many runs, from what their folders hold: `python -m tests.faults.report chaos/*`."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

Summary = dict[str, Any]

QUIET = "all"
"""The name under which the recovery of a whole round stands."""


def markdown(summaries: Sequence[Summary]) -> str:
    """What was done, what came of it, and how long it took."""
    return "\n\n".join((_totals(summaries), _runs(summaries), _faults(summaries))) + "\n"


def recoveries_alone(summary: Summary) -> Iterator[dict[str, Any]]:
    """Recoveries in whose time nothing else was harmed: only they are the fault's own."""
    found = summary["recoveries"]
    for one in found:
        end_s = one["healed_s"] + (one["took_s"] or 0.0)
        others = (other for other in found if other is not one and other["fault"] != QUIET)
        if one["fault"] != QUIET and not any(
            other["injected_s"] <= end_s
            and other["healed_s"] + (other["took_s"] or 0.0) >= one["injected_s"]
            for other in others
        ):
            yield one


def _totals(summaries: Sequence[Summary]) -> str:
    seconds = sum(one["seconds"] for one in summaries)
    red = sum(one["verdict"] != "green" for one in summaries)
    injected = sum(len(one["recoveries"]) for one in summaries)
    rounds = sum(one["fault"] == QUIET for run in summaries for one in run["recoveries"])
    return (
        f"{len(summaries)} runs, {seconds / 60:.0f} minutes, "
        f"{sum(one['events'] for one in summaries):,} events, "
        f"{sum(one['records'] for one in summaries):,} records checked, "
        f"{injected - rounds:,} faults, {red} red verdicts."
    )


def _runs(summaries: Sequence[Summary]) -> str:
    head = (
        "seed", "protocol", "nodes", "workers", "hosts", "minutes", "events", "records", "faults",
        "verdict", "longest stall s", "rounds recovered in s", "largest worker MB",
        "ends not asked for",
    )  # fmt: skip
    return _table(head, map(_run, summaries))


def _run(summary: Summary) -> list[object]:
    plan = summary["plan"]
    rounds = [one["took_s"] for one in summary["recoveries"] if one["fault"] == QUIET]
    codes = Counter(one["code"] for one in summary["worker_ends"] if not one["is_wanted"])
    return [
        plan["seed"],
        plan["protocol"],
        summary["nodes"],
        plan["workers"],
        plan["hosts"],
        f"{summary['seconds'] / 60:.1f}",
        f"{summary['events']:,}",
        f"{summary['records']:,}",
        len(summary["recoveries"]) - len(rounds),
        _verdict(summary["verdict"]),
        summary["longest_stall_s"],
        _spread(rounds),
        summary["highest_rss_mb"],
        ", ".join(f"{count} x {code}" for code, count in sorted(codes.items())) or "none",
    ]


def _faults(summaries: Sequence[Summary]) -> str:
    times = Counter(one["fault"] for run in summaries for one in run["recoveries"])
    alone: defaultdict[str, list[float | None]] = defaultdict(list)
    for run in summaries:
        for one in recoveries_alone(run):
            alone[one["fault"]].append(one["took_s"])
    head = ("fault", "times", "alone", "recovered in s")
    rows = (
        [fault, count, len(alone[fault]), _spread(alone[fault])]
        for fault, count in sorted(times.items())
        if fault != QUIET
    )
    return _table(head, rows)


def _spread(seconds: Sequence[float | None]) -> str:
    """Median and worst; what never recovered in the time it was given is said."""
    took = [one for one in seconds if one is not None]
    lost = len(seconds) - len(took)
    text = f"{median(took):.1f}, at most {max(took):.1f}" if took else ""
    return ", ".join(filter(None, (text, f"{lost} not in time" if lost else "")))


def _verdict(verdict: str | dict[str, int]) -> str:
    if isinstance(verdict, str):
        return verdict
    return "red: " + ", ".join(f"{prop} x {count}" for prop, count in verdict.items())


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def main(folders: Sequence[str]) -> None:
    """Print the tables of these folders' runs."""
    files = [Path(one) / "summary.json" for one in folders]
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    print(markdown(sorted(found, key=lambda one: (one["plan"]["seed"], one["plan"]["protocol"]))))


if __name__ == "__main__":
    main(sys.argv[1:])
