"""Every fault that the nemesis may choose from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tests.faults.crash_points import Point
from tests.faults.fault import Fault
from tests.faults.faults.membership import RebalanceStorm
from tests.faults.faults.network import (
    Cut,
    DeadConnections,
    HeldRequest,
    Latency,
    LostFrames,
    Reordering,
    Resets,
)
from tests.faults.faults.workers import (
    FreezeWorker,
    KillAllWorkers,
    KillAt,
    KillWorker,
    OutOfMemory,
    StarveWorker,
    TerminateWorker,
)
from tests.faults.proxy import Api, Direction
from tests.faults.proxy.frames import GROUP_APIS, LEADER_APIS

_TRANSACTION_APIS = frozenset(
    {
        Api.ADD_OFFSETS_TO_TXN,
        Api.ADD_PARTITIONS_TO_TXN,
        Api.END_TXN,
        Api.PRODUCE,
        Api.TXN_OFFSET_COMMIT,
    }
)
_HELD = (Api.ADD_PARTITIONS_TO_TXN, Api.END_TXN, Api.PRODUCE, Api.TXN_OFFSET_COMMIT)


class Entry(NamedTuple):
    """A fault that may be drawn: `weight` says how often, `nodes` how many Kafka must have."""

    make: Callable[[], Fault]
    weight: float = 1.0
    nodes: int = 1

    @property
    def name(self) -> str:
        """The fault's."""
        return self.make().name


FAULTS: list[Entry] = [
    Entry(KillWorker, weight=4),
    Entry(KillAllWorkers),
    *(Entry(partial(KillAt, point), weight=0.5) for point in Point),
    Entry(FreezeWorker, weight=2),
    Entry(TerminateWorker),
    Entry(OutOfMemory),
    Entry(StarveWorker),
    Entry(RebalanceStorm),
    Entry(Latency),
    Entry(Resets),
    Entry(Reordering),
    Entry(DeadConnections, weight=0.5),
    Entry(partial(LostFrames, "transactions", _TRANSACTION_APIS), weight=0.5),
    Entry(partial(LostFrames, "heartbeats", GROUP_APIS), weight=0.5),
    Entry(partial(Cut, "from-all")),
    Entry(partial(Cut, "from-coordinator", apis=GROUP_APIS)),
    Entry(partial(Cut, "from-leaders", apis=LEADER_APIS), weight=0.5),
    Entry(partial(Cut, "from-one-node", is_one_node=True), nodes=3),
    Entry(partial(Cut, "requests", directions=[Direction.REQUEST]), weight=0.5),
    Entry(partial(Cut, "answers", directions=[Direction.ANSWER]), weight=0.5),
    *(Entry(partial(HeldRequest, api), weight=0.5) for api in _HELD),
]
"""What may strike at any time, in any mixture, with proxies between workers and brokers. What only
a human heals has trials of its own instead. Append here; names must differ."""
