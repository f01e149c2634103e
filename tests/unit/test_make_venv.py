"""The first step of `make setup`: which Python it takes, and what it says when there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "make-venv"


@pytest.fixture
def make_venv(tmp_path):
    """Runs the script with the given Pythons to choose from."""

    def run(*pythons):
        names = " ".join(str(python) for python in pythons)
        return subprocess.run(
            ["sh", SCRIPT, tmp_path / "venv"],
            env={"PYTHON": names, "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def without_venv(tmp_path):
    """A Python as Debian ships it: no ensurepip until another package is installed."""
    python = tmp_path / "python3"
    python.write_text(
        f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1; esac\nexec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    return python


def test_no_python_is_one_sentence_that_says_what_to_install(make_venv):
    """A newcomer must not have to read a traceback."""
    run = make_venv("python-that-is-not-there")

    assert run.returncode == 1
    assert "found no Python 3.11 to 3.14; install one" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_python_without_venv_names_the_missing_package(make_venv, without_venv):
    """Debian's own message comes late and is long."""
    run = make_venv(without_venv)

    assert run.returncode == 1
    assert "lacks its venv module; install it (Debian, Ubuntu: apt install python3." in run.stderr


def test_a_complete_python_is_taken_after_an_incomplete_one(make_venv, without_venv, tmp_path):
    """The system's Python often comes first and lacks something."""
    run = make_venv(without_venv, sys.executable)

    assert run.returncode == 0
    assert (tmp_path / "venv" / "bin" / "pip").exists()


def test_an_environment_that_will_do_is_kept(make_venv, tmp_path):
    """It holds what was installed since."""
    make_venv(sys.executable)
    kept = tmp_path / "venv" / "kept"
    kept.touch()
    make_venv(sys.executable)

    assert kept.exists()


def test_a_broken_environment_is_made_anew(make_venv, tmp_path):
    """The Python below it was upgraded, or the folder was copied from another machine."""
    make_venv(sys.executable)
    shutil.rmtree(tmp_path / "venv" / "lib")

    run = make_venv(sys.executable)

    assert run.returncode == 0
    assert (tmp_path / "venv" / "lib").exists()
