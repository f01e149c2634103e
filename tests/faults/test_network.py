"""Exactly once when what workers ask, and what they hear, is late, lost or cut off."""

from __future__ import annotations

from functools import partial

import pytest

from tests.faults.faults.network import (
    Cut,
    DeadConnections,
    HeldRequest,
    Latency,
    LostFrames,
    Reordering,
    Resets,
    Together,
    end_txn_error,
)
from tests.faults.proxy import GROUP_APIS, LEADER_APIS, Api, Direction
from tests.faults.trial import Plan, Trial

INVALID_PRODUCER_EPOCH = 47
TIMES = 2
HOLD_S = 15.0  # longer than a session, and than the broker waits for a transaction
PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ASKED, HEARD = Direction.REQUEST, Direction.ANSWER
FAULTS = {
    "late": [Latency, Reordering],
    "reset": [Resets],
    "dead": [DeadConnections, DeadConnections],
    "held": [
        partial(HeldRequest, api)
        for api in (Api.TXN_OFFSET_COMMIT, Api.PRODUCE, Api.ADD_PARTITIONS_TO_TXN)
    ],
    "lost in a transaction": [
        partial(LostFrames, api.name.lower(), {api})
        for api in (
            Api.ADD_PARTITIONS_TO_TXN, Api.PRODUCE, Api.ADD_OFFSETS_TO_TXN,
            Api.TXN_OFFSET_COMMIT, Api.END_TXN,
        )
    ],
    "lost around it": [
        lambda: Together(
            Resets(), LostFrames("producer-ids", {Api.INIT_PRODUCER_ID, Api.FIND_COORDINATOR})
        ),
        partial(LostFrames, "heartbeats", GROUP_APIS),
        partial(LostFrames, "fetches", LEADER_APIS - {Api.PRODUCE}),
    ],
    "cut off from the coordinator": [
        partial(Cut, "coordinator", apis=GROUP_APIS),
        partial(Cut, "coordinator-requests", apis=GROUP_APIS, directions=[ASKED]),
        partial(Cut, "coordinator-answers", apis=GROUP_APIS, directions=[HEARD]),
    ],
    "cut off from leaders": [
        partial(Cut, "leaders", apis=LEADER_APIS),
        partial(Cut, "leaders-answers", apis=LEADER_APIS, directions=[HEARD]),
    ],
    "cut off": [
        partial(Cut, "all"),
        partial(Cut, "requests", directions=[ASKED]),
        partial(Cut, "answers", directions=[HEARD]),
    ],
}  # fmt: skip


@PROTOCOLS
def test_an_end_that_arrives_in_the_next_transaction_is_refused(cluster, tmp_path, protocol):
    """It would commit what is written so far, and the rest would be written again."""
    held = HeldRequest(Api.END_TXN)
    with Trial(cluster, tmp_path, Plan(seed=6, protocol=protocol, is_proxied=True)) as trial:
        for _ in range(TIMES):
            trial.strike(held)
        verdict = trial.finish()

    assert [INVALID_PRODUCER_EPOCH] * TIMES == [end_txn_error(one) for one in held.answers]
    assert verdict.is_green, verdict


def test_without_a_new_producer_it_would_not_be(cluster, tmp_path):
    """The same requests, when a producer is used on that lost a connection: outputs are doubled."""
    held = HeldRequest(Api.END_TXN)
    plan = Plan(seed=6, workers=1, is_proxied=True, bug="trust-the-producer")
    with Trial(cluster, tmp_path, plan) as trial:
        for _ in range(TIMES):
            trial.strike(held)
        verdict = trial.finish()

    assert [0] * TIMES == [end_txn_error(one) for one in held.answers]
    assert {"C8", "C12"} & set(verdict.broken), verdict


@pytest.mark.chaos
@PROTOCOLS
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_a_harmed_network_changes_nothing(cluster, tmp_path, protocol, faults):
    """Whatever is late, lost or cut off; workers have folders of their own, and none is killed."""
    plan = Plan(seed=7, protocol=protocol, is_proxied=True, hosts=3)

    verdict, trial = carried_out(cluster, tmp_path, plan, faults)

    assert verdict.is_green, verdict
    assert [] == [one.fault for one in trial.recoveries if one.took_s is None]


@pytest.mark.chaos
@PROTOCOLS
def test_a_worker_that_does_not_reach_one_node_changes_nothing(three, tmp_path, protocol):
    """Now the leader of some partitions, now the coordinator of its group or its transactions."""
    faults = [
        partial(Cut, f"node-{turn}", is_one_node=True, directions=directions)
        for turn, directions in enumerate(([ASKED, HEARD], [ASKED, HEARD], [ASKED], [HEARD]))
    ]
    plan = Plan(seed=8, protocol=protocol, is_proxied=True, hosts=3, per_s=100)

    verdict, trial = carried_out(three, tmp_path, plan, faults)

    assert verdict.is_green, verdict
    assert [] == [one.fault for one in trial.recoveries if one.took_s is None]


def carried_out(cluster, folder, plan, faults):
    """The verdict after each fault was there for its time and was recovered from."""
    with Trial(cluster, folder, plan) as trial:
        trial.calm(2)
        for make in faults:
            fault = make()
            recovery = trial.strike(fault, hold_s=getattr(fault, "hold_s", HOLD_S))
            print(f"{recovery.fault}: recovered after {recovery.took_s} s")
        return trial.finish(), trial
