"""`streams kafka`: what it prints and returns, without starting anything."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from streams.cli import main
from streams.errors import BrokerUnavailable
from streams.kafka.address import bootstrap_servers
from streams.settings import KafkaSettings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kafka(*args):
    return CliRunner().invoke(main.app, ["kafka", *args])


@pytest.fixture
def external(monkeypatch):
    """A configured Kafka that answers, until `external.servers` is emptied."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker.test:9092")
    cluster = SimpleNamespace(servers="broker.test:9092", release="4.0 to 4.2", brokers=3)

    def describe(_settings, *, timeout_s):
        if not cluster.servers:
            raise BrokerUnavailable("no answer from Kafka at broker.test:9092")
        return cluster

    monkeypatch.setattr("streams.kafka.describe.describe_cluster", describe)
    return cluster


@pytest.mark.parametrize("verb", ["up", "status"])
def test_a_configured_kafka_is_looked_at_and_none_is_started(home, external, verb):
    """CI and companies bring their own."""
    run = kafka(verb)

    assert run.exit_code == 0
    assert "external Kafka" in run.stdout
    assert "answers at broker.test:9092: Kafka 4.0 to 4.2, 3 brokers" in run.stdout
    assert not list(home.iterdir())


@pytest.mark.parametrize("verb", ["up", "status"])
def test_a_configured_kafka_that_does_not_answer_is_exit_code_3(home, external, verb):
    """The local one would not be used by any verb, so it is no substitute."""
    external.servers = ""

    run = kafka(verb, "--json")

    assert run.exit_code == 3
    assert json.loads(run.stdout) == {
        "kind": "external",
        "is_running": False,
        "address": "broker.test:9092",
    }
    assert "KAFKA_BOOTSTRAP_SERVERS names does not answer" in run.stderr


def test_wiping_says_that_the_configured_kafka_is_another(external):
    """Whoever meant that one must not believe that its data is gone."""
    run = kafka("wipe")

    assert run.exit_code == 0
    assert "KAFKA_BOOTSTRAP_SERVERS names is not this one, and was left alone" in run.stdout


def test_status_of_no_kafka_is_exit_code_1(home):
    """A script asks before it starts one."""
    run = kafka("status", "--json")

    shown = json.loads(run.stdout)
    assert run.exit_code == 1
    assert (shown["kind"], shown["is_running"], shown["address"]) == ("local", False, "")


def test_down_without_kafka_is_no_error():
    """Stopping twice is fine."""
    run = kafka("down")

    assert (run.exit_code, run.stdout) == (0, "Kafka was not running\n")


def test_docker_without_the_compose_file_names_the_file_and_the_folder(home):
    """The file is the project's; an installed package has none."""
    run = kafka("up", "--docker")

    assert run.exit_code == 4
    assert f"found no docker-compose.kafka.yml in {home}" in run.stderr


def test_docker_that_is_not_installed_is_one_clear_sentence(home, monkeypatch):
    """It says what to install, and that Docker is not needed at all."""
    (home / "docker-compose.kafka.yml").touch()
    monkeypatch.setenv("PATH", "")

    run = kafka("up", "--docker")

    assert run.exit_code == 3
    assert "found no `docker` command; install Docker" in run.stderr
    assert run.stderr.count("\n") == 1


PS = "compose -f docker-compose.kafka.yml --profile * ps --all --format json"
CONTAINER = '{"Service":"kafka","State":"%s","Health":"%s"}'
THREE = (
    '{"Service":"kafka-1","State":"running","Health":"healthy"}\n'
    '{"Service":"kafka-2","State":"running","Health":"%s"}\n'
    '{"Service":"kafka-3","State":"%s"}\n'
)


@pytest.fixture
def docker(home, monkeypatch):
    """A `docker` that notes what it is asked; `docker.says` is its answer to `ps`."""
    (home / "docker-compose.kafka.yml").touch()
    program = home / "docker"
    program.write_text(
        '#!/bin/sh\necho "$@" >>asked\ncase "$*" in *" ps "*) cat says;; esac\n', encoding="utf-8"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")

    def says(text):
        (home / "says").write_text(text, encoding="utf-8")

    says("")
    return SimpleNamespace(
        says=says,
        asked=lambda: (home / "asked").read_text().replace(f"{home}/", "").splitlines(),
    )


def test_docker_compose_is_asked_to_wait_until_kafka_is_healthy(docker):
    """`up` returns when the next command can use it."""
    run = kafka("up", "--docker", "--json")

    assert docker.asked() == [
        PS,
        "compose -f docker-compose.kafka.yml up --detach --wait kafka",
    ]
    assert json.loads(run.stdout) == {
        "kind": "docker",
        "is_running": True,
        "address": "127.0.0.1:9092",
    }


def test_the_kafka_in_docker_is_the_one_that_verbs_use_until_it_is_stopped(docker):
    """Whoever started it need not set a variable too."""
    kafka("up", "--docker")
    started = bootstrap_servers(KafkaSettings())
    kafka("down", "--docker")

    assert started == "127.0.0.1:9092"
    with pytest.raises(BrokerUnavailable, match="no local Kafka is running"):
        bootstrap_servers(KafkaSettings())


def test_docker_is_refused_while_this_machines_own_kafka_runs(docker, monkeypatch):
    """Verbs would go on with that one, and nobody would see why."""
    monkeypatch.setattr("streams.local.compose.own_address", lambda _home: "127.0.0.1:20001")

    run = kafka("up", "--docker")

    assert run.exit_code == 2
    assert "Kafka running at 127.0.0.1:20001" in run.stderr
    assert "run `streams kafka down` first" in run.stderr


@pytest.mark.parametrize(
    ("before", "options"),
    [
        ("", ("--nodes", "3")),
        (THREE % ("healthy", "healthy"), ("--nodes", "3")),
        (THREE % ("", ""), ()),
    ],
    ids=["new", "again", "as before"],
)
def test_docker_starts_three_nodes_when_they_are_asked_for(docker, before, options):
    """And three again, unasked, where there were three."""
    docker.says(before)

    run = kafka("up", "--docker", "--json", *options)

    assert docker.asked()[-1].endswith("up --detach --wait kafka-1 kafka-2 kafka-3")
    assert json.loads(run.stdout)["address"] == "127.0.0.1:9092,127.0.0.1:9094,127.0.0.1:9096"


@pytest.mark.parametrize(
    ("states", "exit_code", "shown"),
    [
        (
            ("healthy", "exited"), 0,
            "Kafka runs at 127.0.0.1:9092,127.0.0.1:9094,127.0.0.1:9096 in Docker, 2 of 3 nodes",
        ),
        (("unhealthy", "exited"), 1, "Kafka cannot be used: 1 of 3 nodes healthy, wanted 2"),
    ],
)  # fmt: skip
def test_status_names_the_containers_that_ail(docker, states, exit_code, shown):
    """One of three may fail, two may not."""
    docker.says(THREE % states)

    run = kafka("status", "--docker")

    first, *others = run.stdout.splitlines()
    assert (run.exit_code, first) == (exit_code, shown)
    assert "Kafka's container kafka-3 is exited, wanted healthy" in others


def test_docker_is_refused_another_number_of_nodes_while_the_first_run(docker):
    """Both would want port 9092."""
    docker.says(CONTAINER % ("running", "healthy"))

    run = kafka("up", "--docker", "--nodes", "3")

    assert run.exit_code == 2
    assert "found containers of 1 nodes, wanted 3" in run.stderr
    assert docker.asked() == [PS]


@pytest.mark.parametrize(
    ("answer", "exit_code", "shown"),
    [
        (CONTAINER % ("running", "healthy"), 0, "Kafka runs at 127.0.0.1:9092 in Docker"),
        (f"[{CONTAINER % ('running', 'healthy')}]", 0, "Kafka runs at 127.0.0.1:9092 in Docker"),
        (
            CONTAINER % ("running", "starting"),
            1,
            "Kafka's container kafka is starting, wanted healthy",
        ),
        (CONTAINER % ("exited", ""), 1, "Kafka's container kafka is exited, wanted healthy"),
        ("", 1, "Docker runs no Kafka; start one with `streams kafka up --docker`"),
        ("[]", 1, "Docker runs no Kafka; start one with `streams kafka up --docker`"),
    ],
)
def test_status_tells_what_docker_says_of_kafka(docker, answer, exit_code, shown):
    """Old releases of Compose answer with a list, newer ones with a line a container."""
    docker.says(answer)

    run = kafka("status", "--docker")

    assert (run.exit_code, run.stdout.splitlines()[0]) == (exit_code, shown)
    assert docker.asked() == [PS]


@pytest.mark.parametrize("verb", ["down", "status"])
def test_docker_is_asked_even_where_another_kafka_is_configured(docker, external, verb):
    """The option says which one is meant."""
    kafka(verb, "--docker")

    assert len(docker.asked()) == 1


def test_wipe_deletes_the_volumes_of_a_stopped_container(docker):
    """The data of the Kafka in Docker lies in volumes."""
    docker.says(CONTAINER % ("exited", ""))

    run = kafka("wipe", "--docker")

    assert run.exit_code == 0
    assert docker.asked()[1:] == [
        "compose -f docker-compose.kafka.yml --profile * down --volumes",
    ]


@pytest.fixture
def terminal(monkeypatch):
    """Somebody who can be asked."""
    stdin = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("streams.cli.kafka.sys", SimpleNamespace(stdin=stdin))


@pytest.fixture
def data(home):
    """An event of a stopped local Kafka."""
    file = home / "kafka" / "data" / "events"
    file.parent.mkdir(parents=True)
    file.touch()
    return file


@pytest.mark.parametrize(
    ("options", "answer", "exit_code"),
    [((), "n\n", 1), ((), "\n", 1), ((), "y\n", 0), (("--yes",), "", 0)],
)
def test_wipe_asks_on_a_terminal_before_it_deletes(
    home, terminal, data, options, answer, exit_code
):
    """Events cannot be got back; the question names whose they are."""
    run = CliRunner().invoke(main.app, ["kafka", "wipe", *options], input=answer)

    assert (run.exit_code, data.exists()) == (exit_code, exit_code == 1)
    assert (f"offset of the Kafka in {home / 'kafka'}?" in run.stderr) is (options == ())


def test_wipe_asks_nobody_in_a_script(data):
    """Where nobody answers, a question would stop the script."""
    run = kafka("wipe")

    assert (run.exit_code, run.stderr, data.exists()) == (0, "", False)


def test_wipe_refuses_while_the_container_runs(docker):
    """As it does with the local Kafka."""
    docker.says(CONTAINER % ("running", "healthy"))

    run = kafka("wipe", "--docker")

    assert run.exit_code == 2
    assert "run `streams kafka down --docker` first" in run.stderr
    assert len(docker.asked()) == 1
