"""`streams kafka`: what it prints and returns, without starting anything."""

import json

import pytest
from typer.testing import CliRunner

from streams.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kafka(*args):
    return CliRunner().invoke(main.app, ["kafka", *args])


def test_a_configured_kafka_is_used_and_none_is_started(home, monkeypatch):
    """CI and companies bring their own."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker.test:9092")

    run = kafka("up")

    assert run.exit_code == 0
    assert "using broker.test:9092, starting nothing" in run.stdout
    assert not list(home.iterdir())


def test_status_of_no_kafka_is_exit_code_1(home):
    """A script asks before it starts one."""
    run = kafka("status", "--json")

    assert run.exit_code == 1
    assert json.loads(run.stdout)["is_running"] is False


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


def test_docker_compose_is_asked_to_wait_until_kafka_is_healthy(home, monkeypatch):
    """`up` returns when the next command can use it."""
    (home / "docker-compose.kafka.yml").touch()
    docker = home / "docker"
    docker.write_text('#!/bin/sh\necho "$@" >asked\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")

    kafka("up", "--docker")

    file = home / "docker-compose.kafka.yml"
    assert (home / "asked").read_text() == f"compose -f {file} up --detach --wait kafka\n"
