"""Exactly once when Kafka's nodes are harmed: one short trial always, all kinds when asked."""

from __future__ import annotations

import pytest

from tests.faults.faults.brokers import (
    AllBrokersDown,
    AllBrokersStopped,
    FreezeBroker,
    KillBroker,
    KillGroupCoordinator,
    KillLeader,
    KillTransactionCoordinator,
    LoseBroker,
    MoveLeaders,
    RollingRestart,
    StartWithoutBrokers,
    StopBroker,
)
from tests.faults.faults.workers import KillWorker
from tests.faults.trial import Plan, Trial

RECOVERS_WITHIN_S = 30.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])

ONE_NODE = [
    KillGroupCoordinator(),
    KillTransactionCoordinator(),
    KillLeader(),
    FreezeBroker(),
    StopBroker(),
    RollingRestart(),
    MoveLeaders(),
]
THE_ONLY_NODE = [KillBroker(), StopBroker(), FreezeBroker()]
OUTAGES = [AllBrokersDown(), AllBrokersStopped(), StartWithoutBrokers()]


def assert_unharmed(trial, verdict):
    """Nothing is wrong, no worker ended unasked (each waits for Kafka), and all was soon read."""
    assert verdict.is_green, verdict
    assert [] == [one for one in trial.scene.fleet.ended if not one.is_wanted]
    assert trial.slowest_s <= RECOVERS_WITHIN_S


def test_a_dead_coordinator_changes_nothing(three, tmp_path):
    """The others have all that was acknowledged, and take over; nobody else notices."""
    with Trial(three, tmp_path, Plan(seed=21)) as trial:
        trial.strike(KillTransactionCoordinator(), hold_s=4)
        verdict = trial.finish()

    assert_unharmed(trial, verdict)


@pytest.mark.chaos
@BOTH_PROTOCOLS
@pytest.mark.parametrize("fault", ONE_NODE, ids=lambda fault: fault.name)
def test_one_node_of_three_is_not_needed(three, tmp_path, protocol, fault):
    """Nor is it waited for: the service goes on before the node is back."""
    with Trial(three, tmp_path, Plan(seed=23, protocol=protocol)) as trial:
        trial.strike(fault)
        verdict = trial.finish()

    assert_unharmed(trial, verdict)
    assert trial.longest_stall_s <= RECOVERS_WITHIN_S


@pytest.mark.chaos
@BOTH_PROTOCOLS
@pytest.mark.parametrize("fault", OUTAGES, ids=lambda fault: fault.name)
def test_without_nodes_everybody_waits(three, tmp_path, protocol, fault):
    """A power cut, maintenance, and a start where Kafka takes longest."""
    with Trial(three, tmp_path, Plan(seed=24, protocol=protocol)) as trial:
        trial.strike(fault)
        verdict = trial.finish()

    assert_unharmed(trial, verdict)


@pytest.mark.chaos
@BOTH_PROTOCOLS
@pytest.mark.parametrize("fault", THE_ONLY_NODE, ids=lambda fault: fault.name)
def test_harm_to_the_only_node_changes_nothing(cluster, tmp_path, protocol, fault):
    """There is nobody to take over: everything waits for its return."""
    with Trial(cluster, tmp_path, Plan(seed=25, protocol=protocol)) as trial:
        trial.strike(fault)
        verdict = trial.finish()

    assert_unharmed(trial, verdict)


@pytest.mark.chaos
@BOTH_PROTOCOLS
def test_a_node_that_does_not_come_back_is_not_missed(three, tmp_path, protocol):
    """Two of three are enough to work, to start, and to recover."""
    lost = LoseBroker()
    with Trial(three, tmp_path, Plan(seed=26, protocol=protocol)) as trial:
        try:
            trial.inject(lost)
            trial.calm(5)
            trial.strike(KillWorker())
            verdict = trial.finish()
        finally:
            lost.heal(trial.scene)

    assert_unharmed(trial, verdict)
    assert trial.longest_stall_s <= RECOVERS_WITHIN_S
