"""Exactly once when the kernel itself loses a worker's packets."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from streams.clock import Deadline
from streams.local.process import wait_until
from tests.faults.faults.wires import CutWire, Whom
from tests.faults.proxy import Direction
from tests.faults.trial import Plan, Trial
from tests.faults.wire import Wire, why_no_wires

SOON_S = 10.0
NEVER_S = 0.5
TARGET_S = 30.0
PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])
WAYS = pytest.mark.parametrize(
    "directions",
    [[*Direction], [Direction.REQUEST], [Direction.ANSWER]],
    ids=["both ways", "requests", "answers"],
)

ECHO = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as there:
    while data := there.recv(1):
        there.sendall(data)
"""


@pytest.fixture(autouse=True)
def root():
    """Only root may make network namespaces, and not everywhere."""
    if why := why_no_wires():
        pytest.skip(why)


@pytest.fixture
def echo():
    """A wire, and a connection over it to a program that sends back what it gets."""
    with Wire() as wire, socket.create_server((wire.host, 0)) as server:
        port = server.getsockname()[1]
        command = [*wire.through, sys.executable, "-c", ECHO, wire.host, str(port)]
        with subprocess.Popen(command) as program:
            server.settimeout(SOON_S)
            connection, _ = server.accept()
            with connection:
                yield wire, port, connection
            program.wait(SOON_S)


@pytest.mark.parametrize("direction", Direction)
def test_what_is_lost_one_way_arrives_after_the_cut(echo, direction):
    """Nothing is refused and nothing closed: the kernel sends it again."""
    wire, port, connection = echo
    wire.lose(direction, [port])
    connection.sendall(b"x")
    connection.settimeout(NEVER_S)
    with pytest.raises(TimeoutError):
        connection.recv(1)

    wire.heal()

    connection.settimeout(SOON_S)
    assert b"x" == connection.recv(1)


def test_ports_that_are_not_cut_off_are_reached(echo):
    """A cut is between a worker and one node."""
    wire, port, connection = echo
    for direction in Direction:
        wire.lose(direction, [port + 1])
    connection.settimeout(SOON_S)

    connection.sendall(b"x")

    assert b"x" == connection.recv(1)


def test_nothing_is_left_of_a_wire():
    """Networks that pile up are found by whoever looks at the machine next."""
    with Wire() as wire:
        device = Path("/sys/class/net") / wire.device

        assert device.exists()
    assert wait_until(lambda: not device.exists(), Deadline.after(SOON_S))


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.chaos
@PROTOCOLS
@WAYS
def test_a_worker_cut_off_by_the_kernel_changes_nothing(cluster, tmp_path, protocol, directions):
    """From everything, or one way only: what it asks arrives, and it hears nothing; or reversed."""
    verdict, recovery = carried_out(cluster, tmp_path, protocol, CutWire(directions=directions))

    assert verdict.is_green, verdict
    assert recovery.took_s <= TARGET_S


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.chaos
@PROTOCOLS
@pytest.mark.parametrize("whom", [Whom.COORDINATOR, Whom.LEADER])
def test_a_worker_cut_off_from_one_node_changes_nothing(three, tmp_path, protocol, whom):
    """It still reads and writes elsewhere while its group believes it dead, or the reverse."""
    verdict, recovery = carried_out(three, tmp_path, protocol, CutWire(whom))

    assert verdict.is_green, verdict
    assert recovery.took_s <= TARGET_S


def carried_out(cluster, folder, protocol, fault):
    """The verdict, and how the service recovered from the fault."""
    plan = Plan(seed=9, protocol=protocol, is_wired=True, hosts=3, per_s=100)
    with Trial(cluster, folder, plan) as trial:
        trial.calm(2)
        recovery = trial.strike(fault)
        verdict = trial.finish()
    assert not recovery.left
    return verdict, recovery
