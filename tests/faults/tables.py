"""The tables of a report on many runs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any, Final

from tests.faults import checker
from tests.faults.faults.registry import FAULTS, KILLS
from tests.faults.nemesis import QUIET
from tests.faults.runs import GREEN, Summary

TARGET_S: Final = 30.0
TARGET_OF_A_KILL_S: Final = 15.0

Recovery = dict[str, Any]


def totals(runs: Sequence[Summary]) -> str:
    """All runs in one sentence."""
    seconds = sum(one["seconds"] for one in runs)
    red = sum(one["fate"] != GREEN for one in runs)
    injected = sum(sum(one["faults"].values()) for one in runs)
    return (
        f"Runs: {len(runs)}, of {seconds / 60:.0f} minutes together; "
        f"{sum(one['events'] for one in runs):,} events sent, "
        f"{sum(one['results'] for one in runs):,} results recomputed, "
        f"{injected:,} faults injected; runs that are not green: {red}."
    )


def table_of_runs(runs: Sequence[Summary]) -> str:
    """A line for each run, whatever became of it."""
    head = (
        "run", "seed", "protocol", "minutes", "nodes", "workers", "hosts", "faults", "events sent",
        "results checked", "verdict", "longest stall s", "rounds recovered in s",
        "largest worker MB", "ends not asked for",
    )  # fmt: skip
    return _table(head, map(_run, runs))


def table_of_properties(runs: Sequence[Summary]) -> str:
    """In how many runs each property held."""
    judged = [one for one in runs if one["verdict"]]
    rows = []
    for prop, meaning in properties():
        broken = [one["name"] for one in judged if one["fate"] != GREEN and prop in one["verdict"]]
        held = f"{len(judged) - len(broken)} of {len(judged)}"
        rows.append([prop, meaning, held, ", ".join(broken) or "none"])
    return _table(("property", "what it says", "held in", "broken in"), rows)


def properties() -> list[tuple[str, str]]:
    """C1 to C14, each with what it says."""
    lines = (line.split("|") for line in (checker.__doc__ or "").splitlines())
    return [
        (cells[1].strip(), cells[2].strip())
        for cells in lines
        if len(cells) > 2 and "C" in cells[1]
    ]


def table_of_faults(runs: Sequence[Summary]) -> str:
    """How often each fault was there, and how soon it was recovered from when it was alone."""
    times: Counter[str] = Counter()
    alone: defaultdict[str, list[tuple[Recovery, str]]] = defaultdict(list)
    for run in runs:
        times.update(run["faults"])
        for one in recoveries_alone(run["recoveries"]):
            alone[one["fault"]].append((one, run["name"]))
    head = (
        "fault", "injected", "alone", "median s", "worst s", "worst in", "target s", "met",
        "what it is",
    )  # fmt: skip
    return _table(head, (_fault(fault, times[fault], alone[fault]) for fault in sorted(times)))


def list_of_faults(runs: Iterable[Summary]) -> str:
    """What was injected in each run."""
    return "\n".join(
        f"- {run['name']}: "
        + (", ".join(f"{fault} {count}" for fault, count in run["faults"].items()) or "nothing")
        for run in runs
    )


def recoveries_alone(found: Sequence[Recovery]) -> Iterator[Recovery]:
    """Recoveries in whose time nothing else was harmed: only they are the fault's own."""
    for one in found:
        end_s = one["healed_s"] + (one["took_s"] or 0.0)
        others = (other for other in found if other is not one and other["fault"] != QUIET)
        if one["fault"] != QUIET and not any(
            other["injected_s"] <= end_s
            and other["healed_s"] + (other["took_s"] or 0.0) >= one["injected_s"]
            for other in others
        ):
            yield one


def _run(run: Summary) -> list[object]:
    plan = run["plan"]
    rounds = [one["took_s"] for one in run["recoveries"] if one["fault"] == QUIET]
    codes = Counter(one["code"] for one in run["worker_ends"] if not one["is_wanted"])
    return [
        run["name"],
        plan["seed"],
        plan["protocol"],
        f"{run['seconds'] / 60:.1f}",
        run["nodes"],
        plan["workers"],
        plan["hosts"],
        sum(run["faults"].values()),
        f"{run['events']:,}",
        f"{run['results']:,}",
        run["fate"],
        "?" if run["longest_stall_s"] is None else run["longest_stall_s"],
        _spread(rounds),
        "?" if run["highest_rss_mb"] is None else run["highest_rss_mb"],
        ", ".join(f"{count} x {code}" for code, count in sorted(codes.items())) or "none",
    ]


def _fault(fault: str, count: int, alone: Sequence[tuple[Recovery, str]]) -> list[object]:
    target_s = TARGET_OF_A_KILL_S if fault in KILLS else TARGET_S
    if not alone:
        return [fault, count, 0, "", "", "", f"{target_s:g}", "?", _meaning(fault)]
    took = [(math.inf if one["took_s"] is None else one["took_s"], name) for one, name in alone]
    worst_s, worst_in = max(took)
    return [
        fault,
        count,
        len(alone),
        _seconds(median(one for one, _ in took)),
        _seconds(worst_s),
        worst_in,
        f"{target_s:g}",
        "yes" if worst_s <= target_s else "NO",
        _meaning(fault),
    ]


def _meaning(fault: str) -> str:
    """The first sentence that the fault says of itself."""
    made = next((one.make() for one in FAULTS if one.name == fault), None)
    text = " ".join((made.__doc__ or "").split("\n\n")[0].split()) if made is not None else ""
    return text.partition(". ")[0].rstrip(".").replace("|", "/")


def _seconds(found_s: float) -> str:
    return "not in time" if found_s == math.inf else f"{found_s:.1f}"


def _spread(seconds: Sequence[float | None]) -> str:
    """Median and worst; what never recovered in the time it was given is said."""
    took = [one for one in seconds if one is not None]
    lost = len(seconds) - len(took)
    text = f"{median(took):.1f}, at most {max(took):.1f}" if took else ""
    return ", ".join(filter(None, (text, f"{lost} not in time" if lost else ""))) or "?"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
