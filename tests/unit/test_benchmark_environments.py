"""Environments of the benchmark's peers: pinned, made once, made anew when a pin changes."""

import re
import sys
import tomllib

import pytest

from tests.benchmarks import environments
from tests.benchmarks.environments import JARS, PEERS, PeerUnavailable, python_of

LOCKED = sorted(PEERS.glob("*.lock"))


class Runs(list):
    """Stands in for subprocesses: notes what they are for, and fails on demand."""

    failing = False

    def __call__(self, what, *command):
        self.append(what)
        if "venv" in command:
            command[-1].mkdir()
        if self.failing:
            raise PeerUnavailable(what)


@pytest.fixture
def peers(tmp_path, monkeypatch):
    """A folder with the lock file of one peer; the home folder lies beside it."""
    monkeypatch.setattr(environments, "PEERS", tmp_path)
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path / "home"))
    (tmp_path / "plain.lock").write_text("one==1")
    return tmp_path


@pytest.fixture
def runs(monkeypatch):
    noted = Runs()
    monkeypatch.setattr(environments, "_run", noted)
    return noted


def test_an_environment_is_made_once(peers, runs):
    """A benchmark is run often, and its peers take minutes to install."""
    first = python_of("plain")
    second = python_of("plain")

    assert ["make an environment for plain", "install plain.lock"] == runs
    assert first == second == peers / "home" / "bench" / "plain" / "bin" / "python"


def test_another_pin_makes_another_environment(peers, runs):
    """A rate must not be told of a version that did not run."""
    python_of("plain")
    (peers / "plain.lock").write_text("one==2")
    python_of("plain")

    assert runs.count("install plain.lock") == 2


def test_an_environment_half_made_is_made_anew(peers, runs):
    """The network failed in the middle of it."""
    runs.failing = True
    with pytest.raises(PeerUnavailable):
        python_of("plain")
    runs.failing = False
    python_of("plain")

    assert runs[-1] == "install plain.lock"


def test_a_peer_without_pins_is_refused(peers, runs):
    """Otherwise it would run whatever is newest."""
    with pytest.raises(PeerUnavailable, match=r"found no other\.lock"):
        python_of("other")

    assert [] == runs


def test_what_a_failed_command_said_is_told(peers):
    """Such as a package that has no wheel here."""
    with pytest.raises(PeerUnavailable, match="cannot try it, it ended with 3: no wheel"):
        environments._run("try it", sys.executable, "-c", "print('no wheel'); exit(3)")


@pytest.mark.parametrize("lock", LOCKED, ids=lambda path: path.stem)
def test_a_lock_holds_the_versions_its_program_names(lock):
    """`make lock` was forgotten, or the docstring tells of another version than what runs."""
    program = lock.with_suffix(".py").read_text("utf-8")
    head = re.search(r"(?ms)^# /// script$\n(.*?)^# ///$", program)[1]
    named = tomllib.loads(re.sub(r"(?m)^# ?", "", head))["dependencies"]
    wanted = {re.sub(r"\[.*\]", "", requirement) for requirement in named}
    locked = set(re.findall(r"(?m)^(\S+==\S+)", lock.read_text("ascii")))

    assert wanted <= locked


@pytest.mark.parametrize("lock", LOCKED, ids=lambda path: path.stem)
def test_every_locked_package_has_hashes(lock):
    """pip refuses a package without one only when the file is used."""
    entries = re.split(r"(?m)^(?=\S+==)", lock.read_text("ascii"))[1:]

    assert [] == [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]


@pytest.mark.parametrize("name", sorted(JARS))
def test_the_jars_that_are_named_are_pinned(name):
    """They run with the rights of whoever measures."""
    pins = environments.parse_digests((PEERS / f"{name}.sha256").read_text("ascii"))
    named = {"{1}-{2}.jar".format(*coordinate.split(":")) for coordinate in JARS[name]}

    assert named <= pins.keys()
    assert all(len(digest) == 64 for digest in pins.values())
