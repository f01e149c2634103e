"""Deploys of another version of a fold, worker by worker or all at once, and back."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from services.counters import SERVICE
from services.counters.photos import PHOTOS
from services.counters.users import USERS
from streams.clock import Deadline
from streams.fold.declaration import Fold
from streams.kafka.admin import KafkaAdmin
from streams.local.process import wait_until
from streams.settings import child_environment
from tests.faults.checker.outputs import OUTPUTS
from tests.faults.deployed import variables
from tests.faults.fleet import REPOSITORY, Fleet
from tests.faults.gather import partitions_of, read_positions
from tests.faults.scene import Scene
from tests.faults.stops import commands_in
from tests.faults.timeline import Reset

_REFUSED_WITHIN_S = 20.0
_VERB_S = 90.0


class RollingDeploy:
    """Worker by worker another version of a fold comes, to the last; then the old one again.

    No state of one version is a start for another, so each new worker that is given such a
    partition stops, and those of the old version go on as long as there is one.
    """

    name = "rolling-deploy"
    hold_s = 2.0

    def inject(self, scene: Scene) -> None:
        fold = scene.random.choice((PHOTOS, USERS))
        for index in scene.random.sample(range(scene.fleet.size), scene.fleet.size):
            self._replace(scene, index, fold)

    def heal(self, scene: Scene) -> None:
        for index in range(scene.fleet.size):
            if scene.fleet.may_refuse(index):
                scene.fleet.dress(index)
                scene.fleet.kill(index, stays_down=True)
        scene.fleet.start()

    def _replace(self, scene: Scene, index: int, fold: Fold) -> None:
        fleet = scene.fleet
        scene.timeline.note("deploy", worker=index, fold=fold.name)
        fleet.terminate(index)
        fleet.dress(index, environment=_raised(fold), may_refuse=True)
        before = _refusals(fleet, index)
        fleet.start(index)
        is_refused = wait_until(
            lambda: _refusals(fleet, index) > before, Deadline.after(_REFUSED_WITHIN_S)
        )
        scene.timeline.note("refused" if is_refused else "not-refused", worker=index)


class FullDeploy:
    """All workers end and come back with another version of a fold; then with the old one again.

    Both times they stop first, and what they say is done, as it is printed, by the new program.
    `obeyed` are those commands.
    """

    name = "full-deploy"
    hold_s = 5.0

    def __init__(self) -> None:
        self.obeyed: list[str] = []

    def inject(self, scene: Scene) -> None:
        self._deploy(scene, _raised(USERS))

    def heal(self, scene: Scene) -> None:
        self._deploy(scene, {})

    def _deploy(self, scene: Scene, program: Mapping[str, str]) -> None:
        fleet = scene.fleet
        fleet.stop()
        fleet.dress(0, environment=program, may_refuse=True)
        for command in commands_in(_refusal(fleet, 0)):
            _note_resets(scene, USERS.reads)
            _run(scene, command, program)
            self.obeyed.append(command)
        for index in range(fleet.size):
            fleet.dress(index, environment=program)
        fleet.start()


def _raised(fold: Fold) -> Mapping[str, str]:
    return variables(fold.name, fold.version + 1)


def _refusals(fleet: Fleet, index: int) -> int:
    return sum(one.is_answered for one in fleet.ended if one.index == index)


def _refusal(fleet: Fleet, index: int) -> str:
    """What the worker says when it is started and stops; nothing when it works instead."""
    before = fleet.log(index).stat().st_size
    fleet.start(index)

    def is_decided() -> bool:
        status = fleet.status(index)
        owned = status.partitions if status is not None else ()
        return bool(_said(fleet.log(index), before)) or any(
            one.startswith(f"{USERS.reads}/") for one in owned
        )

    wait_until(is_decided, Deadline.after(_REFUSED_WITHIN_S))
    said = _said(fleet.log(index), before)
    if said:
        wait_until(lambda: fleet.pid(index) == 0, Deadline.after(_REFUSED_WITHIN_S))
    return said


def _said(log: Path, start: int) -> str:
    """The last request for a human behind a place in a worker's log."""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    asked = [json.loads(line) for line in lines if '"needs-a-human"' in line and line[-1:] == "}"]
    return str(asked[-1]["event"]) if asked else ""


def _note_resets(scene: Scene, topic: str) -> None:
    """For the checker: a topic is about to be folded again from its start."""
    admin = KafkaAdmin(scene.kafka)
    try:
        sources = partitions_of(admin, [topic])
        reached = read_positions(admin, sources)
        ends = _ends(admin)
    finally:
        admin.close()
    for source in sources:
        scene.timeline.reset(Reset(*source, 0, reached=reached[source].offset, ends=ends))


def _ends(admin: KafkaAdmin) -> Mapping[str, int]:
    outputs = partitions_of(admin, OUTPUTS)
    return {str(place): end for place, end in admin.ends(outputs, committed=False).items()}


def _run(scene: Scene, command: str, program: Mapping[str, str]) -> None:
    """What `streams …` does, typed on the first host."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": scene.kafka.bootstrap_servers,
        "STREAMS_NAMESPACE": scene.kafka.namespace,
        "STREAMS_HOME": str(scene.fleet.home(0)),
        **program,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.deployed", *shlex.split(command)],
        cwd=REPOSITORY,
        env=child_environment(environment),
        capture_output=True,
        text=True,
        timeout=_VERB_S,
        check=False,
    )
    said = f"streams {command}: {ended.stdout}{ended.stderr}"
    assert ended.returncode == 0, said
    scene.timeline.note("obeyed", service=SERVICE.name, command=command)
