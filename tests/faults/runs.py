"""What the folders of runs tell, also of runs that came to no verdict."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.faults.timeline import faults_in

Summary = dict[str, Any]
"""A run's `summary.json` (see `trial.py`), with `name`, that of its folder, and `fate`."""

GREEN: Final = "green"

_EACH: Final = "each-"

_EMPTY: Final[Summary] = {
    "seconds": 0.0,
    "events": 0,
    "records": 0,
    "results": 0,
    "verdict": {},
    "longest_stall_s": None,
    "recoveries": [],
    "highest_rss_mb": None,
    "worker_ends": [],
}


def folder_of(into: Path, seed: int, protocol: str, *, is_each: bool = False) -> Path:
    """Where a run leaves what is left of it; `is_each`: one that takes every fault once."""
    return into / f"{_EACH if is_each else ''}{seed}-{protocol}"


def log_of(folder: Path) -> Path:
    """What a run of a series printed."""
    return folder.with_name(f"{folder.name}.log")


def fate_of(folder: Path) -> str:
    """`green`, or what is broken, or how it ended without a verdict."""
    file = folder / "summary.json"
    if not file.exists():
        return f"no verdict: {_last_line(log_of(folder))}"
    verdict = json.loads(file.read_text(encoding="utf-8"))["verdict"]
    if verdict == GREEN:
        return GREEN
    return "RED: " + ", ".join(f"{prop} x {count}" for prop, count in verdict.items())


def read_run(folder: Path) -> Summary:
    """One run; what it did not live to write down is taken from its plan and its timeline."""
    file = folder / "summary.json"
    found = _read(file) if file.exists() else _unfinished(folder)
    return {**found, "name": folder.name, "fate": fate_of(folder)}


def read_runs(into: Iterable[Path]) -> list[Summary]:
    """Every run in these folders of runs, by name."""
    plans = [file for folder in into for file in folder.glob("*/run.json")]
    return [read_run(file.parent) for file in sorted(plans, key=_order)]


def _order(file: Path) -> tuple[bool, int, str]:
    """Of a run's file: by seed, those that take every fault once behind."""
    plan = _read(file)["plan"]
    return (file.parent.name.startswith(_EACH), plan["seed"], plan["protocol"])


def _unfinished(folder: Path) -> Summary:
    run = _read(folder / "run.json")
    happenings = _happenings(folder / "timeline.jsonl")
    return {
        **_EMPTY,
        "plan": run["plan"],
        "nodes": run["nodes"],
        "faults": faults_in(happenings),
        "seconds": max((one["at_s"] for one in happenings), default=0.0),
    }


def _happenings(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _read(file: Path) -> Summary:
    found: Summary = json.loads(file.read_text(encoding="utf-8"))
    return found


def _last_line(log: Path) -> str:
    if not log.exists():
        return "ended by somebody"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
