"""Where Kafka is: what was configured or started here, and never a guess."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams import EventClient, Results
from streams.cli.main import app
from streams.errors import BrokerUnavailable
from streams.kafka.address import NO_LOCAL_KAFKA, bootstrap_servers, docker_address, way_on
from streams.settings import KafkaSettings


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder of a home's Kafka, which does not exist yet."""
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    return tmp_path / "kafka"


def left_behind(folder, pid):
    """The files of a Kafka whose process has this id."""
    folder.mkdir()
    (folder / "address").write_text("127.0.0.1:19999\n")
    (folder / "pid").write_text(f"{pid}\n")


@pytest.fixture
def running(folder):
    """A process that was started with `server.properties` of the folder, as Kafka is."""
    code = "import sys; print(flush=True); sys.stdin.read()"
    files = [str(place / "server.properties") for place in (folder, folder / "node-2")]
    command = [sys.executable, "-c", code, *files]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_the_configured_brokers_come_first(folder, running):
    """A variable is set on purpose."""
    left_behind(folder, running.pid)

    assert bootstrap_servers(KafkaSettings(bootstrap_servers="b:1")) == "b:1"


def test_the_running_local_kafka_is_found(folder, running):
    """`streams kafka up` is all that a newcomer does."""
    left_behind(folder, running.pid)

    assert bootstrap_servers(KafkaSettings()) == "127.0.0.1:19999"


def test_one_node_of_three_is_enough_to_know_the_address(folder, running):
    """The first may be the one that failed."""
    left_behind(folder, 1)
    (folder / "node-2").mkdir()
    (folder / "node-2" / "pid").write_text(f"{running.pid}\n")

    assert bootstrap_servers(KafkaSettings()) == "127.0.0.1:19999"


def test_without_a_local_kafka_nothing_is_guessed():
    """Whatever listens at Kafka's usual port may be somebody else's."""
    with pytest.raises(BrokerUnavailable, match="no local Kafka is running; start it with"):
        bootstrap_servers(KafkaSettings())


def test_the_address_of_a_kafka_that_died_is_not_used(folder, running):
    """After a crash the port may be another's."""
    left_behind(folder, running.pid)
    running.kill()
    running.wait()

    with pytest.raises(BrokerUnavailable):
        bootstrap_servers(KafkaSettings())


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the system does not tell")
def test_a_process_id_that_went_to_another_program_is_no_kafka(folder, running):
    """After a reboot it may be anyone's."""
    left_behind(folder, running.pid)
    (folder / "pid").write_text("1\n")

    with pytest.raises(BrokerUnavailable):
        bootstrap_servers(KafkaSettings())


def test_the_kafka_in_docker_is_found(tmp_path):
    """It has no process of ours; its file says that it was started."""
    docker_address(tmp_path).parent.mkdir()
    docker_address(tmp_path).write_text("127.0.0.1:9092\n")

    assert bootstrap_servers(KafkaSettings()) == "127.0.0.1:9092"


def test_advice_does_not_go_in_a_circle(folder, running):
    """With the variable set, `kafka up` starts nothing, so it is no way on."""
    configured, nothing = way_on(KafkaSettings(bootstrap_servers="b:1")), way_on(KafkaSettings())
    left_behind(folder, running.pid)
    local = way_on(KafkaSettings())

    assert "kafka up" not in configured
    assert "correct KAFKA_BOOTSTRAP_SERVERS, or unset it" in configured
    assert nothing == NO_LOCAL_KAFKA
    assert "streams kafka status" in local


@pytest.mark.parametrize("opened", [EventClient, lambda: Results("counters.photos").get(5)])
def test_programs_hear_it_at_once(opened):
    """No time-out has to pass to know that there is no address."""
    with pytest.raises(BrokerUnavailable, match="no local Kafka is running"):
        opened()


@pytest.mark.parametrize(
    "words",
    [
        "emit -",
        "get counters.photos 5",
        "dump counters.photos",
        "top counters.photos likes",
        "tail social.photos",
        "lag counters",
        "run counters --until-caught-up",
        "quarantine list counters",
        "parked list counters",
        "topics diff",
        "topics apply",
        "offsets restore counters",
        "state reset counters --topic counters.contributions",
    ],
)
def test_every_verb_that_needs_kafka_ends_with_exit_code_3(words):
    """Also those that change something, which must not happen to a stranger's Kafka."""
    like = json.dumps({"type": "PhotoLiked", "user_id": 3, "photo_id": 5, "owner_id": 9})

    run = CliRunner().invoke(app, words.split(), input=like)

    assert (run.exit_code, run.stderr) == (3, f"error: {NO_LOCAL_KAFKA}\n")


def test_the_doctor_advises_to_start_one():
    """It advised to make topics wherever something answered."""
    run = CliRunner().invoke(app, ["doctor"])

    assert run.exit_code == 3
    assert NO_LOCAL_KAFKA in run.stdout
    assert "topics" not in run.stdout
