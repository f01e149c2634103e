"""What trials share: a Kafka of their own that faults may harm, and a folder each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, LocalCluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node, for the trials of a session, one after the other."""
    node = LocalCluster(tmp_path_factory.mktemp("cluster"))
    yield node
    node.wipe()


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The same with three nodes."""
    nodes = LocalCluster(tmp_path_factory.mktemp("three"), 3)
    yield nodes
    nodes.wipe()
