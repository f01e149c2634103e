"""Exactly once when what workers ask, and what they hear, is late, lost or cut off."""

from __future__ import annotations

import pytest

from tests.faults.faults.network import HeldRequest, end_txn_error
from tests.faults.proxy import Api
from tests.faults.trial import Plan, Trial

INVALID_PRODUCER_EPOCH = 47
TIMES = 3

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_an_end_that_arrives_in_the_next_transaction_is_refused(cluster, tmp_path, protocol):
    """It would commit what is written so far, and the rest would be written again."""
    held = HeldRequest(Api.END_TXN)
    with Trial(cluster, tmp_path, Plan(seed=6, protocol=protocol, is_proxied=True)) as trial:
        for _ in range(TIMES):
            trial.strike(held)
        verdict = trial.finish()

    assert [INVALID_PRODUCER_EPOCH] * TIMES == [end_txn_error(one) for one in held.answers]
    assert verdict.is_green, verdict
