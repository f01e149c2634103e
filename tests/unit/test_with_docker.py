"""`.ci/with-docker`: a Docker engine for a command, where there can be one."""

import os
import subprocess
from pathlib import Path

import psutil
import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "with-docker"

ANSWERS = "exit 0"
NEVER = "exit 1"
WHEN_STARTED = "test -e engine"
ENGINE = "echo $$ > engine; exec tail -f /dev/null"
FAILS = "echo no overlay here; exit 1"


@pytest.fixture
def programs(tmp_path):
    """Puts programs of these names and texts before the system's."""

    def put(**texts):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in texts.items():
            file = folder / name
            file.write_text(f"#!/bin/sh\n{text}\n")
            file.chmod(0o755)
        return folder

    return put


def run(folder, command):
    return subprocess.run(
        [SCRIPT, "sh", "-c", command],
        cwd=folder.parent,
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_engine_that_answers_is_used(programs):
    """It is somebody's: nothing is started, and nothing stopped."""
    folder = programs(docker=ANSWERS, dockerd=ENGINE, debootstrap="")

    ran = run(folder, "echo ran; exit 7")

    assert (7, "ran\n", "") == (ran.returncode, ran.stdout, ran.stderr)
    assert not (folder.parent / "engine").exists()


def test_an_engine_that_was_started_ends_with_the_command(programs):
    """The command sees it at work; nothing is left behind, and the exit code is the command's."""
    folder = programs(id="echo 0", docker=WHEN_STARTED, dockerd=ENGINE, debootstrap="")

    ran = run(folder, "kill -0 $(cat engine) && exit 7")

    assert 7 == ran.returncode
    assert "started a Docker engine\n" == ran.stderr
    assert not psutil.pid_exists(int((folder.parent / "engine").read_text()))


@pytest.mark.parametrize(
    ("user", "engine", "said"),
    [("1000", ENGINE, "only root may start one"), ("0", FAILS, "no overlay here")],
)
def test_without_an_engine_the_command_runs_and_it_is_said_why(programs, user, engine, said):
    """Most tests need no Docker."""
    folder = programs(id=f"echo {user}", docker=NEVER, dockerd=engine, debootstrap="")

    ran = run(folder, "exit 7")

    assert 7 == ran.returncode
    assert said in ran.stderr
