"""Somebody who has only the README: installs the wheel, or works in a copy of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from streams.settings import child_environment
from tests.acceptance.home import REPOSITORY, Home
from tests.acceptance.installation import EXTRAS, build_from_source, build_wheel, install
from tests.acceptance.readme import Reader

LIKE = '{"type": "PhotoLiked", "user_id": 3, "photo_id": 5, "owner_id": 9}\n'

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def names_in(wheel):
    with ZipFile(wheel) as archive:
        return sorted(archive.namelist())


class Stranger(Reader):
    """A reader who installed the wheel and has no repository."""

    def __init__(self, folder, kafka, programs):
        super().__init__(folder, kafka)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**self._environment, "PATH": path, "PYTHONPATH": ""}

    def fails(self, command):
        """Exit code and standard error of a command."""
        done = subprocess.run(
            command.split(), cwd=self.folder, env=self._environment, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr


def test_a_project_of_its_own_works_with_the_installed_wheel(wheel, kafka, tmp_path):
    """Its own schemas folder, event, fold and unit test, in an empty folder, step by step."""
    stranger = Stranger(tmp_path, kafka, install(wheel, tmp_path))

    printed = stranger.follow("In a project of your own")

    where = stranger.run("python -c 'import streams; print(streams.__file__)'")
    assert str(tmp_path) in where
    assert 2 == printed.count("1 passed")
    assert re.search(r"^orders +1$", printed, re.MULTILINE)


def test_an_emit_only_install_emits_and_says_what_it_lacks(wheel, home, tmp_path):
    """No polars, rocksdict, pyroaring or Java where a web service only emits."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    stranger = Stranger(folder, home.kafka, install(wheel, folder, without=EXTRAS))

    shown = stranger.run("streams --help; streams --version; streams emit --help")
    sent = stranger.run(f"echo '{LIKE.strip()}' | streams emit -")
    code, error = stranger.fails("streams run counters")

    assert "emit" in shown
    assert "1 event sent" in sent
    assert 2 == code
    assert "pip install 'millrace[engine]'" in error


def test_the_source_distribution_makes_the_same_wheel(wheel, tmp_path):
    """Whoever packages it has no repository; a file that is not in the archive would be missing."""
    from_source = build_from_source(tmp_path)
    programs = install(from_source, tmp_path)

    shown = subprocess.run(
        [programs / "streams", "--help"], cwd=tmp_path, env=child_environment({"PYTHONPATH": ""}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert names_in(wheel) == names_in(from_source)
    assert (0, "") == (shown.returncode, shown.stderr)
    assert "emit" in shown.stdout


POLL_VOTED = """{
  "type": "record", "name": "PollVoted", "namespace": "polls", "doc": "A user chose an answer.",
  "fields": [
    {"name": "event_id", "type": {"type": "fixed", "name": "EventId", "size": 16}, "doc": "UUID."},
    {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"},
     "doc": "When."},
    {"name": "poll_id", "type": "long", "doc": "The poll."},
    {"name": "user_id", "type": "long", "doc": "Who; a later vote replaces an earlier one."},
    {"name": "answer", "type": "int", "doc": "The number of the answer."}
  ]
}
"""
POLL_COUNTED = """{
  "type": "record", "name": "PollCounted", "namespace": "polls", "doc": "How a poll stands.",
  "fields": [
    {"name": "poll_id", "type": "long", "doc": "The poll."},
    {"name": "votes", "type": "long", "doc": "Users who voted."}
  ]
}
"""
TOPICS = """
[topics."polls.votes"]
kind = "events"
key = "poll_id"
partitions = 2
retention = "forever"
events = ["PollVoted"]

[topics."polls.counts"]
kind = "results"
key = "poll_id"
partitions = 2
retention = "forever"
results = ["PollCounted"]
"""
FOLD = '''"""Counts the votes of polls."""

from __future__ import annotations

from schemas.polls import PollCounted, PollVoted
from streams import Entries, Fold, Service

POLLS = Fold("polls", reads="polls.votes", key="poll_id", state=Entries)


@POLLS.on(PollVoted)
def voted(answers: Entries[int, int], event: PollVoted) -> None:
    """The last vote of a user counts."""
    answers[event.user_id] = event.answer


@POLLS.result(into="polls.counts")
def counted(poll_id: int, answers: Entries[int, int]) -> PollCounted:
    """The poll's row."""
    return PollCounted(poll_id=poll_id, votes=len(answers))


SERVICE = Service("polls", folds=[POLLS])
'''
TEST = '''"""Votes."""

from schemas.polls import PollCounted, PollVoted
from services.polls import POLLS


def test_a_user_votes_once():
    """A later vote replaces an earlier one."""
    votes = [PollVoted(poll_id=1, user_id=3, answer=answer) for answer in (1, 2)]

    assert POLLS.replay(votes)[1] == PollCounted(poll_id=1, votes=1)
'''
VOTES = """{"type": "PollVoted", "poll_id": 1, "user_id": 3, "answer": 1}
{"type": "PollVoted", "poll_id": 1, "user_id": 4, "answer": 1}
{"type": "PollVoted", "poll_id": 1, "user_id": 3, "answer": 2}
"""


def copy_repository(folder: Path) -> Path:
    """What a clone of the work tree would hold."""
    copy = folder / "copy"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=ignored)
    return copy


def add_polls(copy: Path) -> None:
    files = {
        "schemas/avro/polls/PollVoted.avsc": POLL_VOTED,
        "schemas/avro/polls/PollCounted.avsc": POLL_COUNTED,
        "services/polls/__init__.py": FOLD,
        "tests/unit/test_polls.py": TEST,
    }
    for name, text in files.items():
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with (copy / "schemas/topics.toml").open("a", encoding="utf-8") as topics:
        topics.write(TOPICS)
    project = copy / "pyproject.toml"
    counters = 'counters = "services.counters:SERVICE"\n'
    polls = 'polls = "services.polls:SERVICE"\n'
    project.write_text(
        project.read_text(encoding="utf-8").replace(counters, counters + polls), encoding="utf-8"
    )


def test_a_new_event_and_fold_inside_the_repository(kafka, tmp_path):
    """The same steps as in a project of one's own, in other places."""
    copy = copy_repository(tmp_path)
    add_polls(copy)
    home = Home(kafka, tmp_path, cwd=copy, settings={"PYTHONPATH": str(copy)})

    generated = home.done("schemas", "generate")
    home.done("schemas", "check")
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/unit/test_polls.py"],
        cwd=copy, env=child_environment({"PYTHONPATH": str(copy)}), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    home.done("topics", "apply")
    home.done("emit", "-", stdin=VOTES)
    home.done("run", "polls", "--until-caught-up")
    shown = home.done("get", "polls.counts", "1", "--json")

    assert "schemas/polls.py" in generated
    assert "1 passed" in tested.stdout, tested.stdout
    assert '{"type":"PollCounted","poll_id":1,"votes":2}\n' == shown
