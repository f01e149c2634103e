"""When a killed node counts as fenced: not by what the controller says, by what it wrote."""

from __future__ import annotations

import struct

import pytest

from streams.local.fencing import is_written
from streams.local.properties import Node

SAYS = "[QuorumController id=1] Fencing broker 1 at epoch 16 because its session has timed out.\n"


def change(node_id, epoch, fenced):
    """A BrokerRegistrationChangeRecord as Kafka writes it."""
    head = b"\x01\x11\x02" + struct.pack(">iq", node_id, epoch)
    return b"before" + head + b"\x01\x00\x01" + struct.pack(">b", fenced) + b"after"


@pytest.mark.parametrize(
    ("log", "is_known"),
    [
        (b"", False),
        (change(1, 16, -1), False),
        (change(2, 16, 1), False),
        (change(1, 15, 1), False),
        (change(1, 16, -1) + change(1, 16, 1), True),
    ],
    ids=["nothing", "unfenced", "another node", "an earlier life", "fenced"],
)
def test_a_node_is_fenced_once_that_is_in_the_metadata_log(tmp_path, log, is_known):
    """A controller that is ended between its words and its write has fenced nobody."""
    node = Node(folder=tmp_path, port=1, controller_port=2, quorum=(2,))
    (tmp_path / "fencing.log").write_text(SAYS)
    metadata = node.data / "__cluster_metadata-0"
    metadata.mkdir(parents=True)
    (metadata / "00000000000000000000.log").write_bytes(log)

    assert is_known == is_written([node])
