"""What trials share: a Kafka of their own that faults may harm, and a folder each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, SingleNode


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node, for the trials of a session, one after the other."""
    node = SingleNode(tmp_path_factory.mktemp("cluster"))
    yield node
    node.wipe()
