"""The local Kafka for real: start, stop, again, beside another, wiped, killed."""

import json
import os
import signal
import subprocess
import sys

import pytest

from streams.clock import Deadline
from streams.errors import ConfigurationError
from streams.kafka.admin import KafkaAdmin
from streams.local import LocalKafka
from streams.local.health import is_ready
from streams.local.ports import is_free
from streams.local.process import wait_until
from streams.settings import KafkaSettings, child_environment

pytestmark = pytest.mark.kafka


@pytest.fixture
def homes(tmp_path):
    """Makes local Kafkas and stops each one that still runs."""
    made = []

    def make(name="home"):
        made.append(LocalKafka(tmp_path / name))
        return made[-1]

    yield make
    for local in made:
        local.down()


def admin_of(address):
    return KafkaAdmin(KafkaSettings(bootstrap_servers=address))


def test_up_is_ready_for_work_and_a_second_up_changes_nothing(homes):
    """Scripts call `up` without asking first; its return is the signal to go on."""
    local = homes()

    first = local.up()
    admin_of(first.address).create_topic("likes", 2, {})
    second = local.up()

    assert first.is_running
    assert second == first
    assert local.status() == first
    assert admin_of(first.address).topics(["likes"])["likes"].partitions == 2


def test_the_address_is_written_down_while_it_runs(homes, tmp_path):
    """That is how every client on this machine finds it."""
    local = homes()

    address = local.up().address
    written = (tmp_path / "home" / "kafka" / "address").read_text()
    local.down()

    assert written.strip() == address
    assert not (tmp_path / "home" / "kafka" / "address").exists()


def test_a_second_home_gets_ports_of_its_own(homes):
    """Two projects, or two test sessions, on one machine."""
    one, other = homes("one").up(), homes("other").up()

    assert one.address != other.address
    assert is_ready(one.address)
    assert is_ready(other.address)


def test_after_down_and_up_topics_and_address_are_the_same(homes):
    """Workers that waited through the pause must find both again."""
    local = homes()
    before = local.up()
    admin_of(before.address).create_topic("likes", 1, {})

    was_running = local.down()
    pause = local.status()
    after = local.up()

    assert was_running
    assert not pause.is_running
    assert after.address == before.address
    assert after.pid != before.pid
    assert admin_of(after.address).names() == ["likes"]


def test_a_killed_kafka_starts_again(homes):
    """A power cut leaves the pid and address files behind."""
    local = homes()
    before = local.up()

    os.kill(before.pid, signal.SIGKILL)
    is_noticed = wait_until(lambda: not local.status().is_running, Deadline.after(30))
    after = local.up()

    assert is_noticed
    assert after.pid != before.pid
    assert after.address == before.address


def test_wipe_needs_it_stopped_and_leaves_an_empty_kafka(homes):
    """Deleting is for good, so it is never a side effect."""
    local = homes()
    address = local.up().address
    admin_of(address).create_topic("likes", 1, {})

    with pytest.raises(ConfigurationError, match="streams kafka down"):
        local.wipe()
    local.down()
    local.wipe()

    assert admin_of(local.up().address).names() == []


def test_it_outlives_the_command_and_the_terminal_that_started_it(homes, tmp_path):
    """Ctrl-C in the terminal of `streams kafka up`, or closing it, must not lose the broker."""
    environment = child_environment(
        {"STREAMS_HOME": str(tmp_path / "home"), "KAFKA_BOOTSTRAP_SERVERS": ""}
    )
    streams = [sys.executable, "-m", "streams.cli.main", "kafka"]

    with subprocess.Popen([*streams, "up"], env=environment, start_new_session=True) as up:
        up.wait(timeout=120)
    status = homes().status()
    shown = subprocess.run(
        [*streams, "status", "--json"],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert up.returncode == 0
    assert json.loads(shown.stdout)["pid"] == status.pid
    assert os.getsid(status.pid) not in {up.pid, os.getsid(0)}
    assert not is_free(int(status.address.rpartition(":")[2]))
