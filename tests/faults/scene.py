"""Everything a fault can lay hands on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.settings import KafkaSettings
from tests.faults.cluster import Cluster
from tests.faults.fleet import Fleet
from tests.faults.network import Network
from tests.faults.timeline import Timeline


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One trial's Kafka, workers and folder. `topics` are the service's, by logical name.

    `random` is for the thread that injects faults and for nobody else. `folder` keeps what is left
    of the trial; `folder / "scratch"` is a fault's own and deleted at the end.
    """

    cluster: Cluster
    kafka: KafkaSettings
    fleet: Fleet
    network: Network
    folder: Path
    random: random.Random
    timeline: Timeline
    topics: Sequence[str]
