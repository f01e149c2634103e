"""The nemesis from the command line: `make chaos SEED=7 MINUTES=10 PROTOCOL=classic`.

    python -m tests.faults --seed 7 --minutes 10
    python -m tests.faults --seed 7 --only kill-worker,freeze-worker --nodes 1
    python -m tests.faults --each                             every fault once, one by one
    python -m tests.faults --replay chaos/7-consumer          the same schedule again
    python -m tests.faults --seeds 31-42 --protocol turns     a series, whatever becomes of each

Leaves a folder with the plan, the schedule, the history, the logs, the timeline and the verdict.
Exit code 1 when a verdict is red or a run came to none, 130 when somebody ended it.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.faults.faults.registry import FAULTS, possible
from tests.faults.nemesis import ROUND_S, each_of, plan_of, schedule_of
from tests.faults.run import Run
from tests.faults.runs import folder_of
from tests.faults.series import Series, pairs_of

_QUIET_S = 20.0  # about what follows each round, for the arithmetic of minutes
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130


def main() -> int:
    """Run, run again, or run a series; the exit code."""
    asked = _arguments()
    for one in _ENDS:
        if signal.getsignal(one) != signal.SIG_IGN:  # as nohup has it
            signal.signal(one, _interrupt)
    try:
        is_green = _series(asked).carry_out() if asked.seeds else _one(asked)
    except KeyboardInterrupt:
        print("interrupted; workers and Kafka are ended")
        return _INTERRUPTED
    return 0 if is_green else 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End workers and Kafka on the way out, and let no second signal stop us at that."""
    for one in _ENDS:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def _one(asked: argparse.Namespace) -> bool:
    folder = folder_of(Path(asked.into), asked.seed, asked.protocol, is_each=asked.each)
    if asked.replay:
        folder, run = Path(f"{asked.replay.rstrip('/')}-again"), Run.read(Path(asked.replay))
    else:
        run = _drawn(asked)
    is_green = run.carry_out(folder)
    print((folder / "verdict.txt").read_text(encoding="utf-8"))
    print(f"left in {folder}; again: make chaos REPLAY={folder}")
    return is_green


def _drawn(asked: argparse.Namespace) -> Run:
    wanted = [one for one in FAULTS if not asked.only or one.name in asked.only.split(",")]
    entries, lacking = possible(wanted, asked.nodes)
    for name, why in lacking.items():
        print(f"without {name}: {why}")
    rounds = max(1, round(asked.minutes * 60 / (ROUND_S + _QUIET_S)))
    schedule = schedule_of(asked.seed, rounds, entries)
    if asked.each:
        schedule = each_of(asked.seed, entries)
    is_wired = any(one.needs_wires for one in entries)
    plan = plan_of(asked.seed, asked.protocol, per_s=asked.per_s, is_wired=is_wired)
    return Run(plan, asked.nodes, schedule)


def _series(asked: argparse.Namespace) -> Series:
    words = ["--minutes", str(asked.minutes), "--per-s", str(asked.per_s)]
    words += ["--nodes", str(asked.nodes), "--only", asked.only]
    return Series(
        pairs=pairs_of(asked.seeds, asked.protocol),
        into=Path(asked.into),
        words=[*words, "--each"] if asked.each else words,
        is_each=asked.each,
        limit_s=asked.limit_minutes * 60,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seed", type=int, default=secrets.randbelow(1_000_000))
    add("--seeds", default="", help="a series, as 31-42 or 31,33,40-42")
    add("--minutes", type=float, default=5.0)
    add(
        "--protocol",
        choices=["consumer", "classic", "both", "turns"],
        default="consumer",
        help="of the group; in a series both for each seed, or the two in turns",
    )
    add("--nodes", type=int, choices=[1, 3], default=3)
    add("--per-s", type=float, default=100.0, help="events a second")
    add("--each", action="store_true", help="every fault once, one by one")
    add("--only", default="", help="names of faults, comma separated")
    add("--replay", default="", help="folder of a run")
    add("--into", default="chaos", help="folder of the runs' folders")
    add("--limit-minutes", type=float, default=30.0, help="a run of a series is ended then")
    asked = parser.parse_args()
    if not asked.seeds and asked.protocol in {"both", "turns"}:
        parser.error("one run has one protocol: consumer or classic")
    return asked


if __name__ == "__main__":
    sys.exit(main())
