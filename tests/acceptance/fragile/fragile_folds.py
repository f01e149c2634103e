"""A service that can be asked to fail: by an exception, or by the death of its process."""

from __future__ import annotations

import os
import signal

import msgspec
from fragile_events.acts import Acted, Noted, Tally, Total

from streams import Fold, Service


class Sum(msgspec.Struct):
    """What one user did."""

    acts: int = 0
    amount: int = 0


TOTALS = Fold("totals", reads="acts.done", key="user_id", state=Sum, emits=[Noted])
TALLIES = Fold("tallies", reads="acts.done", key="user_id", state=Sum)


@TOTALS.on(Acted)
def added(total, event, ctx):
    """Changes the state and emits a fact before it fails, so that both would be seen."""
    total.acts += 1
    total.amount += event.amount
    ctx.emit(Noted(user_id=event.user_id, amount=event.amount))
    if event.text == "raise":
        raise RuntimeError("asked to raise")
    if event.text == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


@TALLIES.on(Acted)
def tallied(tally, event):
    """The other fold of the service, which never fails."""
    tally.acts += 1
    tally.amount += event.amount


@TOTALS.result(into="acts.totals")
def total_of(user_id, total):
    return Total(user_id=user_id, acts=total.acts, amount=total.amount)


@TALLIES.result(into="acts.tallies")
def tally_of(user_id, tally):
    return Tally(user_id=user_id, acts=tally.acts, amount=tally.amount)


SERVICE = Service("fragile", folds=[TOTALS, TALLIES])
