"""Who a worker is: a slot that no other process has, in a folder with an id of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streams.engine import slots
from streams.engine.slots import Slot
from streams.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
HOLD = (
    "import sys; from pathlib import Path; from streams.engine.slots import Slot\n"
    "slot = Slot.take(Path(sys.argv[1]), 'bench'); print(slot.number, slot.instance, flush=True)\n"
    "sys.stdin.read()"
)


def test_a_worker_gets_the_slot_it_asks_for(tmp_path):
    """A restarted worker aborts at once what its dead self left open."""
    assert 3 == Slot.take(tmp_path, "bench", 3).number


def test_two_processes_never_share_a_slot(tmp_path):
    """They would fence each other's transactions for ever."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    number, instance = other.stdout.readline().split()

    mine = Slot.take(tmp_path, "bench")

    assert ("0", 1) == (number, mine.number)
    assert instance == mine.instance
    other.kill()
    other.communicate()
    assert 0 == Slot.take(tmp_path, "bench").number


def test_a_slot_is_free_again_when_it_is_released(tmp_path):
    """Releasing twice is fine."""
    slot = Slot.take(tmp_path, "bench")
    slot.release()
    slot.release()

    assert 0 == Slot.take(tmp_path, "bench").number


def test_services_have_slots_of_their_own(tmp_path):
    """Their transactional ids differ by the service's name."""
    one, other = Slot.take(tmp_path, "bench"), Slot.take(tmp_path, "other")

    assert 0 == one.number == other.number


def test_a_folder_without_a_free_slot_says_how_many_there_are(tmp_path, monkeypatch):
    """Something starts workers and never ends."""
    monkeypatch.setattr(slots, "MAX_SLOTS", 2)
    held = [Slot.take(tmp_path, "bench") for _ in range(2)]

    with pytest.raises(ConfigurationError, match="found 2 workers of bench"):
        Slot.take(tmp_path, "bench")
    assert [0, 1] == [slot.number for slot in held]


def test_the_id_of_a_folder_is_drawn_once(tmp_path):
    """A restart has the same one; another host has another."""
    first = Slot.take(tmp_path / "here", "bench").instance
    again = Slot.take(tmp_path / "here", "bench").instance
    there = Slot.take(tmp_path / "there", "bench").instance

    assert first == again != there
    assert 12 == len(first)


def test_workers_that_start_at_once_draw_one_id(tmp_path):
    """Whoever reads it never finds half of it."""
    held = [Slot.take(tmp_path, "bench") for _ in range(8)]
    barrier, found = threading.Barrier(len(held)), []

    def draw(slot):
        barrier.wait()
        found.append(slot.instance)

    threads = [threading.Thread(target=draw, args=(slot,)) for slot in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(set(found))
    assert 12 == len(found[0])


def test_a_crash_while_the_id_is_drawn_leaves_none(tmp_path, monkeypatch):
    """An empty id would be the same on every host: they would fence each other."""
    slot = Slot.take(tmp_path, "bench")

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            _ = slot.instance

    assert 12 == len(slot.instance)


@pytest.mark.parametrize("torn", [b"", b"12ab", b"\xff" * 12], ids=["empty", "half", "no text"])
def test_an_id_that_is_not_whole_is_drawn_anew(tmp_path, torn):
    """Half of one may be another host's too; one that cannot be read would end each start."""
    slot = Slot.take(tmp_path, "bench")
    first = slot.instance
    (tmp_path / "state" / "bench" / "slots" / "instance").write_bytes(torn)

    again = slot.instance

    assert 12 == len(again) == len(first)
    assert first != again == Slot.take(tmp_path, "bench").instance
