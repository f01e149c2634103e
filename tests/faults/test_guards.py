"""What could go wrong in the field, the guard against it, and that the guard is what prevents it.

Each scenario (`scenarios/`) is played as it is, and once more without its guard (`guards.py`):
then the harm must be seen. All is in memory: `tests/contract` holds that log to a broker's answers,
and `test_stops.py` plays on a broker what stops a worker.

half-changed state after a raise
  guard  `Partition._reopen`: states go, what was to be published too, back to the checkpoint
  test   a_handler_that_raises_half_way
  red    states-are-dropped, facts-are-dropped, back-to-the-checkpoint
a fact lost or doubled around park and retry
  guard  `Partition._is_silent`; `Partition.outputs`: answers in the transaction of their facts;
         `CheckpointMeta.readmitted`: which answers a store holds
  test   a_retry_between_two_kills, a_retry_that_the_store_does_not_know
  red    what-is-tried-is-published, answers-go-with-facts, readmissions-are-counted
a version raised on a host without a store
  guard  `Opener._check_versions`, by the note beside the committed offset
  test   a_version_raised_on_a_new_host
  red    versions
a fold added on a host without a store
  guard  the same
  test   a_fold_added_on_a_new_host
  red    added-folds
a deleted group
  guard  `first_start._refuse_restart`: a store, or anything published, is no first start
  test   a_deleted_group, a_deleted_group_on_a_new_host
  red    first-start-store, first-start-outputs
an expired offset
  guard  `first_start._refuse_restart`: other partitions have one; at work `Opener._checked`
  test   an_expired_offset, offsets_that_go_under_a_running_group
  red    first-start-others, none-is-not-zero
a lower committed offset
  guard  `Opener._behind`, by the store; `Partition.next_position`: none of one that is restoring
  test   a_kafka_from_an_older_backup, a_recovery_that_is_killed
  red    store-ahead, restoring-commits-nothing
pending offsets of a revoked partition
  guard  `Assignment._release`, whatever became of the last commit; `Membership` as captured
  test   a_commit_that_fails_while_its_partition_moves, a_worker_that_is_expelled_and_joins_again
  red    what-left-is-dropped, captured-membership
two containers with one state id
  guard  `Committer._count_fencing`
  test   two_hosts_with_one_id
  red    two-fencings
a stopped owner that keeps the lock
  guard  `Opener._folder`: asks for its kill, then takes a fresh folder
  test   a_stopped_owner_that_keeps_its_lock
  red    fresh-folder
null and foreign-partitioned keys
  guard  `Admission.find_strays`
  test   keys_that_belong_elsewhere
  red    home-of-keys
transaction markers at the end of a partition
  guard  `Partition.reach_end`
  test   a_marker_at_the_end, a_marker_of_an_aborted_transaction_at_the_end
  red    past-markers, past-aborted-markers
"""

from __future__ import annotations

import pytest

from streams.engine import opening
from streams.engine.slots import Slot
from streams.testing.folders import InMemoryDisk, InMemoryFolders
from tests.faults.guards import GUARDS
from tests.unit.engine_bench import Bench

SCENARIOS = list(dict.fromkeys(guard.scenario for guard in GUARDS))


@pytest.fixture
def disk():
    """Of all hosts of a scenario, but for those that say otherwise."""
    return InMemoryDisk()


@pytest.fixture
def bench(tmp_path, disk, monkeypatch):
    """A service that nobody runs yet; what a scenario leaves behind goes with it."""
    monkeypatch.setattr(opening, "LOCK_PATIENCE_S", 0.0)
    monkeypatch.setattr(opening, "KILL_PATIENCE_S", 0.0)
    taken, take = [], Slot.take

    def remembered(*wanted):
        taken.append(take(*wanted))
        return taken[-1]

    monkeypatch.setattr(Slot, "take", remembered)
    yield Bench(tmp_path / "host", folders=InMemoryFolders(disk))
    for slot in taken:
        slot.release()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_scenario_does_no_harm(bench, disk, scenario):
    """What is published and kept is what the log says, or a human was asked."""
    assert {} == scenario(bench, disk)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_its_guard_a_scenario_does_harm(bench, disk, guard, monkeypatch):
    """Else the guard guards against nothing, or the scenario would not see it go."""
    guard.remove(monkeypatch)

    harm = guard.scenario(bench, disk)

    assert guard.shows in harm, harm


def test_the_table_names_every_scenario_and_guard():
    """A row without a test would be a claim, a test without a row a riddle."""
    assert [scenario.__name__ for scenario in SCENARIOS] == _named("test")
    assert [guard.name for guard in GUARDS] == _named("red")


def _named(what):
    """The names in the lines of the table that begin with a word."""
    return [
        name
        for line in __doc__.splitlines()
        if line.startswith(f"  {what} ")
        for name in line.removeprefix(f"  {what} ").replace(",", "").split()
    ]
