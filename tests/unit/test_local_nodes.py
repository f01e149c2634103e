"""Three nodes on one machine, without a broker: their files, their number, and what ails which."""

import pytest

from streams.cli.kafka_state import kafka_in_words
from streams.errors import BrokerUnavailable, ConfigurationError
from streams.local import LocalKafka, NodeStatus, Status, kafka, process
from streams.local.fencing import fencing_properties
from streams.local.nodes import choose_nodes, read_nodes
from streams.local.properties import server_properties


@pytest.fixture
def program(tmp_path):
    """A script that stands in for Java: formats a folder, and does what it is told as a node."""

    def write(node):
        script = tmp_path / "java"
        script.write_text(
            "#!/bin/sh\n"
            'for last; do :; done\ndata="$(dirname "$last")/data"\n'
            'case "$*" in *StorageTool*) shift 5; mkdir -p "$data"; '
            'echo "cluster.id=$3" >"$data/meta.properties"; exit 0;; esac\n'
            f"{node}\n"
        )
        script.chmod(0o755)
        return script

    return write


@pytest.fixture
def local(tmp_path, monkeypatch):
    monkeypatch.setattr(kafka, "broker_jars", lambda downloads: tmp_path)
    return LocalKafka(tmp_path / "home")


@pytest.fixture
def three(tmp_path):
    return choose_nodes(tmp_path, 3)


def test_each_node_has_a_folder_and_ports_of_its_own(three, tmp_path):
    """They run side by side."""
    ports = [port for node in three for port in (node.port, node.controller_port)]

    assert [node.folder for node in three] == [tmp_path / f"node-{n}" for n in (1, 2, 3)]
    assert len(set(ports)) == 6


def test_the_nodes_are_found_again_on_their_ports(three, tmp_path):
    """Another process stops them, and clients find a restarted Kafka at its old address."""
    assert read_nodes(tmp_path) == three
    assert choose_nodes(tmp_path, 3) == three


def test_all_nodes_vote_on_the_same_controllers(three):
    """A node that knew other voters would found a cluster of its own."""
    properties = [server_properties(node) for node in three]
    alone = [fencing_properties(node) for node in three]

    voters = ",".join(f"{node.node_id}@127.0.0.1:{node.controller_port}" for node in three)

    assert {voters} == {found["controller.quorum.voters"] for found in (*properties, *alone)}
    assert {"1", "2", "3"} == {found["node.id"] for found in properties}


def test_every_record_is_on_three_nodes_and_acknowledged_by_two(three):
    """Then the loss of any one of them loses nothing and stops nothing."""
    properties = server_properties(three[0])

    for copies in ("default", "offsets.topic", "transaction.state.log"):
        assert properties[f"{copies}.replication.factor"] == "3"
    assert properties["min.insync.replicas"] == "2"
    assert properties["transaction.state.log.min.isr"] == "2"


def test_all_nodes_are_formatted_as_one_cluster(three, tmp_path, program):
    """Also one that lost its data, such as by a new disk, while the others have theirs."""
    java = program("exit 1")
    for node in three:
        node.folder.mkdir()

    process.format_folders(java, tmp_path, three)
    first = [(node.data / "meta.properties").read_text() for node in three]
    (three[1].data / "meta.properties").unlink()
    process.format_folders(java, tmp_path, three)

    assert first[0] == first[1] == first[2]
    assert (three[1].data / "meta.properties").read_text() == first[0]


def test_a_number_of_nodes_that_helps_nobody_is_refused(local):
    """Two need each other: worse than one."""
    with pytest.raises(ConfigurationError, match=r"found 2 nodes, wanted 1 or 3"):
        local.up(2)


def test_another_number_of_nodes_than_the_data_has_is_refused(local, tmp_path):
    """Topics of one node have one copy, and no command makes three of it."""
    (tmp_path / "home" / "kafka" / "data").mkdir(parents=True)

    with pytest.raises(ConfigurationError, match=r"a Kafka of 1 node in .*, wanted 3 nodes; run"):
        local.up(3)


def test_a_node_that_does_not_start_is_named_with_its_log(local, monkeypatch, program):
    """Whoever has three wants to know which."""
    fails = 'case "$*" in *node-2*) echo "FATAL: no space";; esac; exit 1'
    monkeypatch.setattr(kafka, "find_java", lambda: program(fails))
    monkeypatch.setattr(kafka, "is_ready", lambda address, timeout_s=1: True)
    monkeypatch.setattr(kafka, "_is_ready", lambda node: node.node_id != 2)

    with pytest.raises(
        BrokerUnavailable, match=r"Kafka works, but cannot start its node 2 of 3(.|\n)*no space"
    ):
        local.up(3)


def status_of(*nodes):
    found = [
        NodeStatus(node_id=n, is_ready=ready, address=f"h:{n}", pid=pid, log=f"node-{n}/server.log")
        for n, (ready, pid) in enumerate(nodes, start=1)
    ]
    return Status(
        is_running=2 * sum(node.is_ready for node in found) > len(found),
        address="h:1,h:2,h:3", pid=7, version="4.3.1", folder="kafka", log="", nodes=tuple(found),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "verdict", "ailing"),
    [
        ([(True, 7)] * 3, "runs at h:1,h:2,h:3 (3 nodes, processes 7, 7, 7)", []),
        (
            [(True, 7), (False, 0), (True, 9)],
            "runs at h:1,h:2,h:3 (2 of 3 nodes, processes 7, 9)",
            ["node 2 is gone; `streams kafka up` starts it again; its log: node-2/server.log"],
        ),
        (
            [(True, 7), (True, 8), (False, 9)],
            "(2 of 3 nodes, processes 7, 8, 9)",
            ["node 3 does not answer at h:3; if it stays so, kill its process 9, then run"],
        ),
        (
            [(True, 7), (False, 0), (False, 9)],
            "Kafka cannot be used: 1 of 3 nodes ready, wanted 2 (processes 7, 9)",
            ["node 2 is gone", "node 3 does not answer"],
        ),
        ([(False, 7)], "Kafka does not answer at h:1; if it stays so, kill its process 7", []),
        ([(False, 0)] * 3, "no local Kafka is running", []),
    ],
    ids=["three", "one gone", "one silent", "too few", "the only one silent", "none"],
)
def test_status_says_what_ails_which_node(nodes, verdict, ailing):
    """And whether Kafka can be used meanwhile."""
    first, *others = kafka_in_words(status_of(*nodes))

    assert verdict in first
    assert all(any(line in other for other in others) for line in ailing)
    assert len([line for line in others if line.startswith("node ")]) == len(ailing)
