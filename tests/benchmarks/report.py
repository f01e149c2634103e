"""The results as Markdown: targets first, then a table a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from tests.benchmarks.field import OURS, System
from tests.benchmarks.machine import Machine
from tests.benchmarks.results import Results
from tests.benchmarks.targets import Target, targets
from tests.benchmarks.trial import Trial

_HEAD = [
    "system",
    "events/s",
    "best",
    "ours is x",
    "events per CPU s",
    "CPU s",
    "RSS MB",
    "broker CPU s",
    "answer",
    "settings",
]


def markdown(
    results: Results, machine: Machine, field: Sequence[System], *, has_picture: bool
) -> str:
    """The whole report."""
    parts = [
        "# Results",
        "Made by `make bench`; do not edit.",
        f"{machine.describe()}. The broker shares the machine with the program under test. Rates "
        "are from the first record processed to the last output committed, medians of the runs; "
        "each answer was compared with a recount before its time counted. Compare ratios within "
        "this run, never rates between runs. Why a target is missed: DESIGN.md, *Speed*.",
        "## Targets",
        _targets(results),
        *(_job(job, systems, results, field) for job, systems in results.trials.items()),
        _latencies(results),
        _recoveries(results),
        _profile(results, has_picture=has_picture),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def missed(results: Results) -> list[str]:
    """The targets that were measured and not reached."""
    return [
        f"{one.job}, {one.says}: found {found:.2f}, wanted {_bound(one)}"
        for one in targets()
        if (found := one.find(results)) is not None and not one.is_met(found)
    ]


def _targets(results: Results) -> str:
    rows = []
    for one in targets():
        found = one.find(results)
        if found is None:
            verdict, shown = "not measured", "-"
        else:
            verdict, shown = "met" if one.is_met(found) else "MISSED", f"{found:.2f}"
        rows.append([one.job, one.says, _bound(one), shown, verdict])
    return _table(["job", "figure", "target", "found", ""], rows)


def _bound(target: Target) -> str:
    return f"{'≤' if target.is_most else '≥'} {target.bound:g}"


def _job(
    job: str, systems: dict[str, list[Trial]], results: Results, field: Sequence[System]
) -> str:
    kind = job.partition(" ")[0].rstrip(",")
    settings = {one.name: _settings(one) for one in field if kind in one.jobs}
    rows = [_row(job, name, trials, results, settings) for name, trials in systems.items()]
    dashes = ["-"] * (len(_HEAD) - 2)
    for name, why in results.failures.get(job, {}).items():
        rows.append([name, *dashes, why])
    return f"## {job}\n\n" + _table(_HEAD, rows)


def _row(
    job: str, name: str, trials: list[Trial], results: Results, settings: dict[str, str]
) -> list[str]:
    rates = [one.events_per_s for one in trials]
    broker = [one.measured.broker_cpu_s for one in trials if one.measured.broker_cpu_s is not None]
    ratio = results.ratio(job, OURS, name)
    wrong = max(one.wrong for one in trials)
    return [
        name,
        f"{median(rates):,.0f}",
        f"{max(rates):,.0f}",
        "-" if ratio is None else f"{ratio:.2f}",
        f"{median(one.events_per_cpu_s for one in trials):,.0f}",
        f"{median(one.measured.cpu_s for one in trials):.1f}",
        f"{max(one.measured.rss_mb for one in trials):,.0f}",
        f"{median(broker):.1f}" if broker else "-",
        "right" if wrong == 0 else f"{wrong} WRONG",
        f"{settings[name]} ({trials[0].events:,} events, {len(trials)} runs)",
    ]


def _settings(system: System) -> str:
    options = ", ".join(f"{name}={value}" for name, value in sorted(system.options.items()))
    return "; ".join(part for part in (system.note, options) if part)


def _latencies(results: Results) -> str:
    if not results.latencies:
        return ""
    rows = [
        [str(one.commit_interval_ms), *(f"{took:.0f}" for took in (one.p50, one.p99, one.p999))]
        for one in results.latencies
    ]
    head = ["commit interval ms", "p50 ms", "p99 ms", "p99.9 ms"]
    title = "## latency\n\nFrom `emit` to a result that any reader of committed records sees, at "
    return f"{title}2,000 events/s.\n\n" + _table(head, rows)


def _recoveries(results: Results) -> str:
    if not results.recoveries:
        return ""
    rows = [
        [f"{one.keys:,}", "its own" if one.has_state else "none", f"{one.seconds:.1f}"]
        for one in results.recoveries
    ]
    return (
        "## recover\n\nFrom SIGKILL under 20,000 events/s until a successor, started at once, is "
        "caught up.\nSix seconds of it the group waits for the dead member.\n\n"
        + _table(["keys", "state on the host", "seconds"], rows)
    )


def _profile(results: Results, *, has_picture: bool) -> str:
    total_s = sum(results.profile_s.values())
    if not total_s:
        return ""
    rows = [
        [step, f"{took_s:.2f}", f"{took_s / total_s:.0%}"]
        for step, took_s in results.profile_s.items()
    ]
    picture = "![Where the time goes](profile.svg)\n\n" if has_picture else ""
    title = "## Where our time goes\n\nThe worker's thread on *members*, 5 M events.\n\n"
    return title + picture + _table(["step", "seconds", "share"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
