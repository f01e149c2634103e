"""Every fault that the nemesis may choose from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from tests.faults.crash_points import Point
from tests.faults.fault import Fault
from tests.faults.faults.brokers import (
    AllBrokersDown,
    AllBrokersStopped,
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
from tests.faults.faults.data import HostileRecords
from tests.faults.faults.deploys import RollingDeploy
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
from tests.faults.faults.stores import DamagedStores, FlippedAtWork, LostStores, StaleStores
from tests.faults.faults.wires import CutWire, Whom
from tests.faults.faults.workers import (
    FreezeWorker,
    KillAllWorkers,
    KillAt,
    KillWorker,
    OutOfMemory,
    StarveWorker,
    TerminateWorker,
)
from tests.faults.proxy import GROUP_APIS, LEADER_APIS, Api, Direction
from tests.faults.wire import why_no_wires

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
_REQUESTS, _ANSWERS = [Direction.REQUEST], [Direction.ANSWER]


def _nothing() -> str:
    return ""


class Entry(NamedTuple):
    """A fault that may be drawn: `weight` says how often, `nodes` how many Kafka must have.

    `lacks` says what this machine lacks for it, and nothing where it can be done.
    """

    make: Callable[[], Fault]
    weight: float = 1.0
    nodes: int = 1
    lacks: Callable[[], str] = _nothing

    @property
    def name(self) -> str:
        """The fault's."""
        return self.make().name

    @property
    def needs_wires(self) -> bool:
        """Whether workers must live in network namespaces for it."""
        return self.lacks is why_no_wires


_cut_wire = partial(Entry, weight=0.5, lacks=why_no_wires)

WORKERS = [
    Entry(KillWorker, weight=4),
    Entry(KillAllWorkers),
    *(Entry(partial(KillAt, point), weight=0.5) for point in Point),
    Entry(FreezeWorker, weight=2),
    Entry(TerminateWorker),
    Entry(OutOfMemory),
    Entry(StarveWorker),
    Entry(RebalanceStorm),
    Entry(RollingDeploy, weight=0.5),
]
STATE = [
    Entry(HostileRecords),
    Entry(DamagedStores),
    Entry(FlippedAtWork, weight=0.5),
    Entry(LostStores, weight=0.5),
    Entry(partial(LostStores, at_work=True), weight=0.5),
    Entry(StaleStores),
]
FRAMES = [
    Entry(Latency),
    Entry(Resets),
    Entry(Reordering),
    Entry(DeadConnections, weight=0.5),
    Entry(partial(LostFrames, "transactions", _TRANSACTION_APIS), weight=0.5),
    Entry(partial(LostFrames, "heartbeats", GROUP_APIS), weight=0.5),
    Entry(partial(Cut, "from-all")),
    Entry(partial(Cut, "from-coordinator", apis=GROUP_APIS)),
    Entry(partial(Cut, "coordinator-requests", apis=GROUP_APIS, directions=_REQUESTS), weight=0.3),
    Entry(partial(Cut, "coordinator-answers", apis=GROUP_APIS, directions=_ANSWERS), weight=0.3),
    Entry(partial(Cut, "from-leaders", apis=LEADER_APIS), weight=0.5),
    Entry(partial(Cut, "from-one-leader", apis=LEADER_APIS, is_one_node=True), nodes=3),
    Entry(partial(Cut, "from-one-node", is_one_node=True), nodes=3),
    Entry(partial(Cut, "requests", directions=_REQUESTS), weight=0.5),
    Entry(partial(Cut, "answers", directions=_ANSWERS), weight=0.5),
    *(Entry(partial(HeldRequest, api), weight=0.5) for api in _HELD),
]
# No FreezeBroker: a coordinator that comes back may tell an old position once, which C7 takes for a
# step back.
BROKERS = [
    Entry(KillBroker, weight=2),
    Entry(KillLeader, nodes=3),
    Entry(KillGroupCoordinator, nodes=3),
    Entry(KillTransactionCoordinator, nodes=3),
    Entry(LoseBroker, weight=0.5, nodes=3),
    Entry(StopBroker),
    Entry(RollingRestart, weight=0.5, nodes=3),
    Entry(MoveLeaders, nodes=3),
    Entry(AllBrokersDown, weight=0.3),
    Entry(AllBrokersStopped, weight=0.2),
    Entry(StartWithoutBrokers, weight=0.2),
]
PACKETS = [
    _cut_wire(CutWire),
    _cut_wire(partial(CutWire, directions=_REQUESTS)),
    _cut_wire(partial(CutWire, directions=_ANSWERS)),
    _cut_wire(partial(CutWire, Whom.COORDINATOR), nodes=3),
    _cut_wire(partial(CutWire, Whom.LEADER), nodes=3),
]

FAULTS: list[Entry] = [*WORKERS, *STATE, *BROKERS, *FRAMES, *PACKETS]
"""What may strike at any time, in any mixture, with proxies between workers and brokers. What only
a human heals has trials of its own instead. Append here; names must differ."""

KILLS = frozenset(one.name for one in WORKERS if one.name.startswith("kill-"))
"""Those that are nothing but SIGKILL of workers."""


def possible(entries: Collection[Entry], nodes: int) -> tuple[list[Entry], dict[str, str]]:
    """Those that can be done here on a Kafka of so many nodes; and of each other one why not."""
    lacking = {one.name: one.lacks() or _nodes(one, nodes) for one in entries}
    return (
        [one for one in entries if not lacking[one.name]],
        {name: why for name, why in lacking.items() if why},
    )


def _nodes(entry: Entry, nodes: int) -> str:
    return f"needs {entry.nodes} nodes" if nodes < entry.nodes else ""
