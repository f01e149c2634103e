"""The nemesis from the command line: `make chaos SEED=7 MINUTES=10 PROTOCOL=classic`.

    python -m tests.faults --seed 7 --minutes 10
    python -m tests.faults --seed 7 --only kill-worker,freeze-worker --nodes 1
    python -m tests.faults --each                        every fault once, one by one
    python -m tests.faults --replay chaos/7-consumer     the same schedule again

Leaves a folder with the plan, the schedule, the history, the logs, the timeline and the verdict.
Exit code 1 when the verdict is red.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.cluster import LocalCluster
from tests.faults.faults.registry import FAULTS, Entry
from tests.faults.nemesis import ROUND_S, Nemesis, Step, each_of, plan_of, schedule_of
from tests.faults.trial import Plan, Trial

_QUIET_S = 20.0  # about what follows each round, for the arithmetic of minutes


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the nemesis: what its folder's `run.json` holds."""

    plan: Plan
    nodes: int
    schedule: list[list[Step]]

    def write(self, file: Path) -> None:
        """Keep it, for a replay."""
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Run:
        """The run of a folder."""
        found = json.loads(file.read_text(encoding="utf-8"))
        schedule = [[Step(**step) for step in steps] for steps in found["schedule"]]
        return cls(Plan(**found["plan"]), found["nodes"], schedule)


def main() -> int:
    """Run, or run again; the exit code."""
    asked = _arguments()
    folder = Path(asked.into) / f"{asked.seed}-{asked.protocol}"
    run = _drawn(asked)
    if asked.replay:
        folder = Path(f"{asked.replay.rstrip('/')}-again")
        run = Run.read(Path(asked.replay) / "run.json")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run.write(folder / "run.json")
    is_green = _carried_out(run, folder)
    print((folder / "verdict.txt").read_text(encoding="utf-8"))
    print(f"left in {folder}; again: make chaos REPLAY={folder}")
    return 0 if is_green else 1


def _carried_out(run: Run, folder: Path) -> bool:
    """Whether the verdict is green; the Kafka of the run is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="chaos-kafka-") as home:
        cluster = LocalCluster(Path(home), run.nodes)
        try:
            with Trial(cluster, folder, run.plan, is_shown=True) as trial:
                verdict = Nemesis(trial, FAULTS).run(run.schedule)
        finally:
            cluster.wipe()
    if verdict.is_green:
        for host in folder.glob("host-*"):
            shutil.rmtree(host)
    return verdict.is_green


def _drawn(asked: argparse.Namespace) -> Run:
    entries = [one for one in FAULTS if one.nodes <= asked.nodes and _is_asked(one, asked.only)]
    rounds = max(1, round(asked.minutes * 60 / (ROUND_S + _QUIET_S)))
    schedule = schedule_of(asked.seed, rounds, entries)
    if asked.each:
        schedule = each_of(asked.seed, entries)
    return Run(plan_of(asked.seed, asked.protocol, per_s=asked.per_s), asked.nodes, schedule)


def _is_asked(entry: Entry, only: str) -> bool:
    return not only or entry.name in only.split(",")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--protocol", choices=["consumer", "classic"], default="consumer")
    parser.add_argument("--nodes", type=int, choices=[1, 3], default=3)
    parser.add_argument("--per-s", type=float, default=100.0, help="events a second")
    parser.add_argument("--each", action="store_true", help="every fault once, one by one")
    parser.add_argument("--only", default="", help="names of faults, comma separated")
    parser.add_argument("--replay", default="", help="folder of a run")
    parser.add_argument("--into", default="chaos", help="folder of the runs' folders")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
