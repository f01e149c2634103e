"""Many runs of the nemesis, one after the other, each in a process of its own.

A run that is red, breaks or hangs does not end the series.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.clock import monotonic_s
from tests.faults.runs import GREEN, fate_of, folder_of, log_of

_ENDED_WITHIN_S = 240.0  # generators wait for their answers, and workers for their last commit

Pair = tuple[int, str]


def pairs_of(seeds: str, protocol: str) -> list[Pair]:
    """Seed and protocol of each run: `both` runs each seed twice, `turns` has the two in turns."""
    numbers = list(_numbers(seeds))
    names = ("consumer", "classic") if protocol in {"both", "turns"} else (protocol,)
    if protocol == "turns":
        return [(seed, names[turn % len(names)]) for turn, seed in enumerate(numbers)]
    return [(seed, name) for seed in numbers for name in names]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """`words` go to every run. Each leaves its folder in `into`, and beside it what it printed."""

    pairs: Sequence[Pair]
    into: Path
    words: Sequence[str]
    is_each: bool
    limit_s: float

    def carry_out(self) -> bool:
        """Whether all were green; a line for each."""
        self.into.mkdir(parents=True, exist_ok=True)
        fates = [self._run(seed, protocol) for seed, protocol in self.pairs]
        return all(fates)

    def _run(self, seed: int, protocol: str) -> bool:
        folder = folder_of(self.into, seed, protocol, is_each=self.is_each)
        shutil.rmtree(folder, ignore_errors=True)
        begun_s = monotonic_s()
        command = (
            *(sys.executable, "-m", "tests.faults", "--into", str(self.into)),
            *("--seed", str(seed), "--protocol", protocol, *self.words),
        )
        with log_of(folder).open("wb") as file:
            run = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
            try:
                self._await(run)
            finally:
                _end(run)
        minutes = (monotonic_s() - begun_s) / 60
        print(f"{folder.name}: {fate_of(folder)}, {minutes:.1f} minutes", flush=True)
        return fate_of(folder) == GREEN

    def _await(self, run: subprocess.Popen[bytes]) -> None:
        try:
            run.wait(self.limit_s)
        except subprocess.TimeoutExpired:
            print(f"it takes more than {self.limit_s / 60:g} minutes and is ended", flush=True)


def _end(run: subprocess.Popen[bytes]) -> None:
    """End a run that still runs; it takes its workers and its Kafka with it."""
    run.terminate()
    try:
        run.wait(_ENDED_WITHIN_S)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()


def _numbers(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
