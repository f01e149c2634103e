"""One run of the nemesis: what its folder keeps of it, and how it is carried out from there."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.faults.cluster import LocalCluster
from tests.faults.faults.registry import FAULTS
from tests.faults.nemesis import Nemesis, Step
from tests.faults.trial import Plan, Trial

_FILE = "run.json"
_GONE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """What is done: the folder's `run.json`."""

    plan: Plan
    nodes: int
    schedule: list[list[Step]]

    def write(self, folder: Path) -> None:
        """Keep it, for a replay and for reports."""
        (folder / _FILE).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Run:
        """The run of a folder."""
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        schedule = [[Step(**step) for step in steps] for steps in found["schedule"]]
        return cls(Plan(**found["plan"]), found["nodes"], schedule)

    def carry_out(self, folder: Path) -> bool:
        """Whether the verdict is green; workers and Kafka are gone afterwards, however it ends."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.write(folder)
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-kafka-")))
            stack.callback(_end_kafka, home)  # also one that did not get ready
            cluster = LocalCluster(home, self.nodes)
            stack.callback(cluster.wipe)
            stack.callback(_keep_logs, cluster, folder)
            with Trial(cluster, folder, self.plan, is_shown=True) as trial:
                verdict = Nemesis(trial, FAULTS).run(self.schedule)
        if verdict.is_green:
            for host in folder.glob("host-*"):
                shutil.rmtree(host)
        return verdict.is_green


def _keep_logs(cluster: LocalCluster, folder: Path) -> None:
    """What each node said since it was last started."""
    for number, node in enumerate(cluster.nodes):
        with suppress(FileNotFoundError):
            shutil.copy(node.log, folder / f"kafka-{number}.log")


def _end_kafka(home: Path) -> None:
    """Kill every node of this home, and what was about to become one."""
    killed = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it is gone, or not ours to look at
            if any(str(home) in word for word in process.cmdline()):
                process.kill()
                killed.append(process)
    psutil.wait_procs(killed, _GONE_WITHIN_S)
