"""Exactly once whatever is in the log: what nobody can decode is set aside, and all else flows."""

from __future__ import annotations

from collections import Counter

import pytest

from services.counters import SERVICE
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from tests.faults.faults.data import HostileRecords
from tests.faults.faults.stores import DamagedStores
from tests.faults.faults.workers import KillAllWorkers, KillWorker
from tests.faults.trial import Plan, Trial

RECOVERS_WITHIN_S = 30.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def reasons(trial):
    """Why records are in quarantine; that each is there once is for the checker to say."""
    reader = KafkaReader(trial.scene.kafka)
    try:
        records = reader.read({TopicPartition(SERVICE.quarantine, 0): 0})
        return Counter(dict(record.headers)["reason"].decode() for record in records)
    finally:
        reader.close()


def crashes(trial):
    """Ends of workers that no fault wanted."""
    return [one for one in trial.scene.fleet.ended if not one.is_wanted]


def test_bad_records_and_damaged_stores_change_nothing(cluster, tmp_path):
    """No worker dies of a record that no schema explains; a store that is torn is made again."""
    hostile = HostileRecords(rounds=2)
    with Trial(cluster, tmp_path, Plan(seed=21, workers=2)) as trial:
        trial.strike(hostile)
        crashed = crashes(trial)
        trial.strike(DamagedStores(), hold_s=1)
        verdict = trial.finish()

    assert verdict.is_green, verdict
    assert [] == crashed
    assert hostile.sent == reasons(trial)
    assert trial.slowest_s <= RECOVERS_WITHIN_S


@pytest.mark.chaos
@pytest.mark.parametrize("protocol", ["consumer", "classic"])
@pytest.mark.parametrize("hosts", [1, 2])
def test_bad_records_change_nothing(cluster, tmp_path, protocol, hosts):
    """Also while workers are killed, so that they are met again by others and in replays."""
    hostile = HostileRecords(rounds=10)
    with Trial(cluster, tmp_path, Plan(seed=22, protocol=protocol, hosts=hosts)) as trial:
        for _ in range(4):
            trial.harm(hostile)
            trial.strike(KillWorker())
        trial.harm(hostile)
        trial.strike(KillAllWorkers())
        verdict = trial.finish(is_orderly=False)

    assert verdict.is_green, verdict
    assert [] == crashes(trial)
    assert hostile.sent == reasons(trial)
    assert trial.slowest_s <= RECOVERS_WITHIN_S
