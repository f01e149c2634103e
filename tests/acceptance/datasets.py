"""Public data with known answers, as our events: where it lies, its answers, and redeliveries.

The data stands beside the repository (`../shared/data`); a test that needs it is skipped where it
does not. `igclone` and `ldbc_snb` hold the loaders.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.events.ids import EventIds
from streams.events.message import Event

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY.parent / "shared" / "data"

REDELIVERED_WITHIN = 200
"""A redelivered event comes again at most this many events later."""


def data_file(name: str) -> Path:
    """A file of the data folder; skips the test where the folder is absent."""
    if not FOLDER.is_dir():
        pytest.skip(f"the public data sets are not here: wanted the folder {FOLDER}")
    return FOLDER / name


def lines(name: str) -> Iterator[str]:
    """Lines of a gzipped text file, without their ends."""
    with gzip.open(data_file(name), "rt", encoding="utf-8") as text:
        yield from (line.rstrip("\n") for line in text)


def answers(name: str) -> dict[str, Any]:
    """Everything that `expected/<name>.json` holds."""
    found: dict[str, Any] = json.loads(data_file(f"expected/{name}.json").read_text("utf-8"))
    return found


def with_redeliveries(events: Sequence[Event], seed: int, share: float = 0.1) -> list[Event]:
    """The events, a share of them a second time a little later, under the same event id.

    Only for events that take nothing back: a like delivered again after its unlike is a like.
    """
    rng = random.Random(seed)
    ids = EventIds()
    placed: list[tuple[float, Event]] = []
    for place, event in enumerate(events):
        stamped = msgspec.structs.replace(event, event_id=ids.draw(event.occurred_at))
        placed.append((place, stamped))
        if rng.random() < share:
            placed.append((place + rng.uniform(0, REDELIVERED_WITHIN), stamped))
    return [event for _, event in sorted(placed, key=lambda one: one[0])]


def top(rows: Iterator[tuple[int, int]], k: int) -> list[list[int]]:
    """[id, score] by score, then id; the whole tie group of the last rank is kept."""
    ranked = sorted(([one, score] for one, score in rows), key=lambda row: (-row[1], row[0]))
    last = ranked[min(k, len(ranked)) - 1][1]
    return [row for row in ranked if row[1] >= last]
