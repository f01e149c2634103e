"""After a kill in mid-fold the range in flight is tried in a child: no host dies on it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.avro.codec import Codec
from streams.engine import trial
from streams.engine.inflight import Inflight
from streams.engine.trial import find_killer
from streams.state.folder import mapped
from streams.testing.folders import folder_name
from tests.unit.engine_bench import (
    break_off,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
)

ROOT = Path(__file__).parents[2]
SOURCE = home_of(5)


def left_behind(disk):
    return Inflight(disk.markers[folder_name("bench", SOURCE)]).left_behind()


def test_a_record_that_kills_its_process_is_quarantined_by_the_next_owner(bench):
    """With its bytes and the reason; everything else of its batch is folded."""
    bench.worker().stop()
    _, bad, *_ = bench.emit(liked(1), posted("die"), liked(2), liked(3))
    break_off(bench, SOURCE, 0, 4)

    worker = bench.worker()
    worker.drain()

    (record,) = bench.quarantined()
    assert (bad.value, b"kills the process") == (record.value, dict(record.headers)["reason"])
    assert {"5": 3} == bench.counts()
    assert [1, 2, 3] == sorted(fact.user_id for fact in bench.facts())


@pytest.mark.parametrize("is_replaying", [False, True], ids=["live", "after a replay"])
def test_a_handler_that_kills_its_process_costs_one_crash(bench, is_replaying):
    """The next owner on this machine is not killed."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    worker.crash() if is_replaying else worker.stop()
    bench.emit(liked(2), posted("die"), liked(3))
    end = _end_of(lambda: bench.worker().drain())

    bench.worker().drain()

    assert -signal.SIGKILL == end
    assert 1 == len(bench.quarantined())
    assert {"5": 3} == bench.counts()


def _end_of(work):
    """How a process ends that does this; what it did to the log in memory ends with it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_range_behind_a_replay_is_tried_although_both_stand_in_one_batch(bench):
    """A restart reads the replay and the live records in one go."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    worker.crash()
    bench.emit(liked(2), posted("die"), liked(3))
    break_off(bench, SOURCE, 1, 4)

    bench.worker().drain()

    assert 1 == len(bench.quarantined())
    assert {"5": 3} == bench.counts()


@pytest.mark.parametrize("poll_records", [1, 2, 3])
def test_a_range_that_comes_in_several_batches_is_tried_to_its_end(bench, poll_records):
    """Batches are cut elsewhere the next time."""
    bench.worker().stop()
    bench.emit(liked(1), liked(2), liked(3), posted("die"), liked(4))
    break_off(bench, SOURCE, 0, 5)

    bench.worker(poll_records=poll_records).drain()

    assert 1 == len(bench.quarantined())
    assert {"5": 4} == bench.counts()


def test_two_records_that_kill_are_both_quarantined(bench):
    """The child is sent again behind the first."""
    one, other = photos_on(SOURCE.partition, 2)
    bench.worker().stop()
    bench.emit(posted("die", one), liked(1, other), posted("die", other), liked(2, one))
    break_off(bench, SOURCE, 0, 4)

    bench.worker().drain()

    assert 2 == len(bench.quarantined())
    assert {str(one): 1, str(other): 1} == bench.counts()


def test_a_harmless_range_is_folded_as_if_nothing_had_been(bench):
    """Most kills come from outside."""
    bench.worker().stop()
    bench.emit(liked(1), liked(2))
    break_off(bench, SOURCE, 0, 2)

    bench.worker().drain()

    assert [] == bench.quarantined()
    assert {"5": 2} == bench.counts()


def test_a_range_is_tried_once(bench, monkeypatch):
    """A fork for each batch would be slow for ever."""
    tried = []
    bench.worker().stop()
    bench.emit(liked(1))
    break_off(bench, SOURCE, 0, 1)
    monkeypatch.setattr("streams.engine.folding.find_killer", lambda *args: tried.append(args[1:]))
    worker = bench.worker()
    worker.drain()
    bench.emit(liked(2))

    worker.drain()

    assert [(0, 1)] == tried


def test_the_mark_stays_while_a_child_tries_its_range(bench, disk, monkeypatch):
    """Whoever kills the parent meanwhile must not make it forget."""
    seen = []

    def spied(*args):
        found = find_killer(*args)
        seen.append(left_behind(disk))
        return found

    monkeypatch.setattr("streams.engine.folding.find_killer", spied)
    bench.worker().stop()
    bench.emit(liked(1), liked(2))
    break_off(bench, SOURCE, 0, 2)

    bench.worker()

    assert [range(2)] == seen
    assert left_behind(disk) is None


def test_a_handler_that_raises_in_a_tried_range_parks_its_key(bench):
    """An exception is no killer, in the child or after it."""
    bench.worker().stop()
    bench.emit(liked(1), posted("raise"), liked(2), liked(3, photos_on(SOURCE.partition, 2)[1]))
    break_off(bench, SOURCE, 0, 4)

    bench.worker().drain()

    assert [] == bench.quarantined()
    assert [5] == [decision.fold_key for decision in bench.decisions()]
    assert 1 == bench.counts()["5"]


def test_bytes_that_kill_whoever_decodes_them_are_decoded_in_the_child_only(bench, monkeypatch):
    """The owner writes them into the quarantine as they are."""
    decode_many, host = Codec.decode_many, os.getpid()

    def deadly(codec, values):
        if any(value is not None and value.endswith(b"!") for value in values):
            os.kill(os.getpid(), signal.SIGKILL)
        return decode_many(codec, values)

    monkeypatch.setattr(Codec, "decode_many", deadly)
    bench.worker().stop()
    bench.emit(liked(1))
    bench.put(liked(2), value=b"\0!")
    bench.emit(liked(3))
    break_off(bench, SOURCE, 0, 3)

    bench.worker().drain()

    assert host == os.getpid()
    assert [b"\0!"] == [record.value for record in bench.quarantined()]
    assert {"5": 2} == bench.counts()


def test_folding_leaves_a_mark_while_it_lasts(bench, disk):
    """It names the offsets, and is gone when they are folded."""
    seen = []
    fold = likes_fold()
    handler = fold.handlers[type(liked(1))]

    def look(*_):
        seen.append(left_behind(disk))

    fold.handlers[type(liked(1))] = type(handler)(look, wants_context=True)
    bench.declare(fold)
    worker = bench.worker()
    bench.emit(liked(1), liked(2))

    worker.turn()

    assert [range(2), range(2)] == seen
    assert left_behind(disk) is None


def test_a_raise_leaves_no_mark(bench, disk):
    """The worker lives, and has dealt with it."""
    worker = bench.worker()
    bench.emit(posted("raise"))

    worker.turn()

    assert left_behind(disk) is None


def test_an_exit_in_mid_fold_leaves_its_mark(bench):
    """`sys.exit()` in a handler unwinds the worker in good order, and would do so each time."""
    fold = likes_fold()
    handler = fold.handlers[type(liked(1))]
    fold.handlers[type(liked(1))] = type(handler)(lambda *_: sys.exit(0), wants_context=True)
    bench.declare(fold)
    worker = bench.worker()
    bench.emit(liked(1), posted("fine"))

    with pytest.raises(SystemExit):
        worker.turn()
    worker.assignment.close()
    worker.crash()
    bench.worker().drain()

    assert 1 == len(bench.quarantined())


def test_a_mark_of_a_process_that_was_killed_is_found(tmp_path):
    """It is in the file whether or not Python got to write anything more."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from streams.engine.inflight import Inflight\n"
        "from streams.state.folder import mapped\n"
        "Inflight(mapped(Path(sys.argv[1]))).begin(17, 29); os.kill(os.getpid(), signal.SIGKILL)"
    )

    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "inflight")], cwd=ROOT, check=False
    )

    assert -signal.SIGKILL == killed.returncode
    assert range(17, 29) == Inflight(mapped(tmp_path / "inflight")).left_behind()


@pytest.mark.parametrize("rubbish", [b"", b"short", b"x" * 40])
def test_a_marker_file_that_is_none_counts_as_no_mark(tmp_path, rubbish):
    """A full disk can leave anything."""
    (tmp_path / "inflight").write_bytes(rubbish)

    assert Inflight(mapped(tmp_path / "inflight")).left_behind() is None


class Deaths:
    """How a child may end."""

    @staticmethod
    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def leave():
        sys.exit(3)

    @staticmethod
    def leave_at_once():
        os._exit(0)


@pytest.mark.parametrize("die", [Deaths.kill, Deaths.leave, Deaths.leave_at_once])
def test_a_child_finds_the_record_that_ends_it(die):
    """However it ends; nothing of the parent's code runs in it after that."""

    def fold_one(at):
        if at == 3:
            die()

    assert 3 == find_killer(fold_one, 1, 6)


def test_a_child_that_comes_through_finds_nothing():
    """Also when the last record is the end of the range."""
    assert find_killer(lambda at: None, 4, 9) is None


def test_a_child_that_meets_an_exception_finds_nothing():
    """The parent meets it in the same place, and parks."""

    def fold_one(at):
        raise ValueError(at)

    assert find_killer(fold_one, 0, 3) is None


def test_a_record_that_never_ends_counts_as_one_that_kills(monkeypatch):
    """The group would give up on its worker."""
    monkeypatch.setattr(trial, "PATIENCE_S", 0.2)

    def fold_one(at):
        while at == 1:
            pass

    assert 1 == find_killer(fold_one, 0, 3)


def test_a_child_that_is_stuck_once_is_no_proof(monkeypatch, tmp_path):
    """A fork can inherit a lock that another thread held."""
    monkeypatch.setattr(trial, "PATIENCE_S", 0.2)
    first = tmp_path / "first"

    def fold_one(at):
        if not first.exists():
            first.touch()
            while True:
                pass

    assert find_killer(fold_one, 0, 3) is None


def test_what_a_child_folds_stays_in_the_child():
    """The parent folds the same records afterwards, once."""
    folded = []

    find_killer(folded.append, 0, 3)

    assert [] == folded
