"""The project in `fragile/`, made ready in a folder of the test: a service that can be broken.

Its lock file also holds an older version of `Acted` whose schema is recursive, as a registry may.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streams.avro.framing import frame
from streams.avro.lock import LockFile
from streams.settings import KafkaSettings
from tests.acceptance.home import Home

SOURCE = Path(__file__).parent / "fragile"
SUBJECT = "acts.done-acts.Acted"

Act = Mapping[str, Any]
Rows = dict[int, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Schemas:
    """Frames of the newest version of `Acted`, and of its recursive one."""

    newest: bytes
    recursive: bytes


def make_project(kafka: KafkaSettings, folder: Path) -> tuple[Home, Schemas]:
    """The project with generated code and its topics made."""
    project = folder / "project"
    shutil.copytree(SOURCE, project, ignore=shutil.ignore_patterns("__pycache__"))
    home = Home(kafka, folder, cwd=project)
    home.done("schemas", "generate")
    schemas = _with_recursive_version(project / "fragile_events" / "lock.json")
    home.done("topics", "apply")
    return home, schemas


def elsewhere(home: Home) -> Home:
    """The same service on a machine that has none of its state."""
    folder = home.folder / "elsewhere"
    folder.mkdir()
    return replace(home, folder=folder)


def mend(home: Home) -> None:
    """Deploy the handler that raises no more."""
    module = home.cwd / "fragile_folds.py"
    module.write_text(module.read_text().replace('raise RuntimeError("asked to raise")', "pass"))


def newer_schema(home: Home) -> tuple[bytes, Callable[[], None]]:
    """The frame of a version with one field more, and what makes it known to this machine."""
    lock_file = home.cwd / "fragile_events" / "lock.json"
    lock = LockFile.load(lock_file)
    newest = lock.subjects[SUBJECT][-1].schema
    more = {"name": "more", "type": ["null", "string"], "default": None}
    lock = lock.with_version(SUBJECT, {**newest, "fields": [*newest["fields"], more]})
    added = lock.subjects[SUBJECT][-1]
    lock = lock.with_version(SUBJECT, newest)
    return frame(added.id), lambda: _write(lock_file, lock)


def act(user_id: int, amount: int, text: str = "") -> Act:
    """A line for `streams emit`."""
    return {"type": "Acted", "user_id": user_id, "amount": amount, "text": text}


def emit(home: Home, acts: Iterable[Act]) -> None:
    """Send acts in their order."""
    home.done("emit", "-", stdin="".join(json.dumps(one) + "\n" for one in acts))


def sums(acts: Iterable[Act]) -> Rows:
    """What a fold that takes all these acts must say."""
    found: Rows = defaultdict(dict)
    for one in acts:
        row = found[one["user_id"]]
        row["user_id"] = one["user_id"]
        row["acts"] = row.get("acts", 0) + 1
        row["amount"] = row.get("amount", 0) + one["amount"]
    return dict(found)


def notes(home: Home) -> Iterator[tuple[int, int]]:
    """(user, amount) of each fact that readers of committed records see."""
    for line in home.done("tail", "acts.notes", "-n", "1000000", "--json").splitlines():
        found = json.loads(line)
        yield found["user_id"], found["amount"]


def _with_recursive_version(lock_file: Path) -> Schemas:
    lock = LockFile.load(lock_file)
    newest = lock.subjects[SUBJECT][-1].schema
    cause = {"name": "cause", "type": ["null", "acts.Acted"], "default": None}
    recursive = {**newest, "fields": [*newest["fields"], cause]}
    lock = lock.with_version(SUBJECT, recursive).with_version(SUBJECT, newest)
    _write(lock_file, lock)
    older, newer = lock.subjects[SUBJECT]
    return Schemas(newest=frame(newer.id), recursive=frame(older.id))


def _write(lock_file: Path, lock: LockFile) -> None:
    lock_file.write_text(lock.dumps(), encoding="utf-8")
