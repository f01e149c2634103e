"""Rounds of checkpoints: every partition gets its turn, and none holds up all the others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from streams.engine import checkpoints as module
from streams.engine.checkpoints import Checkpoints
from streams.ports.records import TopicPartition
from streams.settings import WorkerSettings

SETTINGS = WorkerSettings(commit_interval_s=1, checkpoint_interval_s=10, cache_entries=100)


class Saved:
    """A partition that notes when it is saved, and whether it forgets untouched states then."""

    def __init__(self, number, entries=1, unsaved=0):
        self.source = TopicPartition("likes", number)
        self.entries = entries
        self.unsaved = unsaved
        self.turns = []

    def checkpoint(self, *, turn):
        self.turns.append(turn)
        return 10


class Rig:
    """Partitions, a clock that stands still, and what the instruments were told."""

    def __init__(self, monkeypatch, partitions):
        self.now_s = 0.0
        self.told = []
        monkeypatch.setattr(module, "monotonic_s", lambda: self.now_s)
        owned = {one.source: one for one in partitions}
        self.assignment = SimpleNamespace(owned=owned, partitions=partitions)
        instruments = SimpleNamespace(
            cached=lambda entries: self.told.append(entries),
            checkpointed=lambda source, size: self.told.append((source.partition, size)),
        )
        self.checkpoints = Checkpoints(SETTINGS, self.assignment, instruments)

    def saved_at(self, now_s):
        """Which partitions a commit at this time saves."""
        self.now_s, self.told = now_s, []
        self.checkpoints.save_some()
        return [one[0] for one in self.told if isinstance(one, tuple)]


def test_nothing_is_saved_before_the_interval_is_over(monkeypatch):
    """A checkpoint after each commit would write the same states again and again."""
    rig = Rig(monkeypatch, [Saved(0), Saved(1)])

    assert [[], []] == [rig.saved_at(0.0), rig.saved_at(9.9)]


def test_each_commit_of_a_round_saves_one_partition(monkeypatch):
    """The pause of one partition's write is all that any event waits for."""
    rig = Rig(monkeypatch, [Saved(number) for number in range(3)])

    rounds = [rig.saved_at(at) for at in (10.0, 11.0, 12.0, 13.0, 19.9, 20.0)]

    assert [[0], [1], [2], [], [], [0]] == rounds


def test_many_partitions_are_done_in_half_the_interval(monkeypatch):
    """A round must be over before the next one is due."""
    rig = Rig(monkeypatch, [Saved(number) for number in range(12)])

    rounds = [len(rig.saved_at(at)) for at in (10.0, 11.0, 12.0, 13.0, 14.0)]

    assert [3, 3, 3, 3, 0] == rounds


def test_a_partition_that_left_is_passed_over(monkeypatch):
    """It was saved when it went, and its store belongs to somebody else."""
    first, gone, last = Saved(0), Saved(1), Saved(2)
    rig = Rig(monkeypatch, [first, gone, last])
    rig.saved_at(10.0)
    del rig.assignment.owned[gone.source]

    assert [[], [2]] == [rig.saved_at(11.0), rig.saved_at(12.0)]
    assert [] == gone.turns


@pytest.mark.parametrize(("entries", "is_turning"), [(50, False), (51, True)])
def test_untouched_states_are_forgotten_when_half_the_cache_is_full(
    monkeypatch, entries, is_turning
):
    """The other half takes what is touched until the next round."""
    partition = Saved(0, entries=entries)
    rig = Rig(monkeypatch, [partition])

    rig.checkpoints.save_all()

    assert [is_turning] == partition.turns
    assert entries in rig.told


@pytest.mark.parametrize(("unsaved", "are_pressing"), [(50, False), (51, True)])
def test_changes_that_fill_half_the_cache_press(monkeypatch, unsaved, are_pressing):
    """What is changed cannot be forgotten, so memory would grow."""
    rig = Rig(monkeypatch, [Saved(0, unsaved=unsaved)])

    assert are_pressing == rig.checkpoints.are_pressing
