"""The compose file: pinned, on loopback, healthy, and the same Kafka as `streams kafka up`."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from streams.local.jars import KAFKA_VERSION
from streams.local.properties import TUNING

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.kafka.yml"
SERVICES = yaml.safe_load(FILE.read_text())["services"]
PULLED = {name: service for name, service in SERVICES.items() if "build" not in service}
LASTING = sorted(SERVICES.keys() - {"topics"})


def test_docker_accepts_the_file_with_every_profile():
    """Docker's own check knows more rules than a reader does."""
    compose = shutil.which("docker-compose", path=Path(sys.executable).parent)

    run = subprocess.run(
        [compose, "-f", FILE, "--profile", "*", "config", "--quiet"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")


def test_the_broker_has_the_settings_of_the_local_kafka():
    """What works on one must work on the other."""
    environment = SERVICES["kafka"]["environment"]

    expected = {f"KAFKA_{name.upper().replace('.', '_')}": text for name, text in TUNING.items()}

    assert expected.items() <= environment.items()


def test_the_broker_is_the_kafka_that_the_local_one_runs():
    """Two versions would differ in what they accept."""
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


@pytest.mark.parametrize("name", sorted(PULLED))
def test_a_pulled_image_has_an_exact_version(name):
    """`latest` is another program next month."""
    assert re.fullmatch(r"[\w/.-]+:\d+\.\d+\.\d+", PULLED[name]["image"])


@pytest.mark.parametrize("name", LASTING)
def test_what_keeps_running_has_a_health_check(name):
    """`up --wait` returns when it can be used."""
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_open_to_this_machine_only(name):
    """Docker opens ports past the firewall."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_plain_up_starts_kafka_alone():
    """The registry and the services are asked for by their profile."""
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["kafka"]


def test_the_image_installs_pinned_packages_and_does_not_run_as_root():
    """One lock file for laptops, CI and containers."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert re.fullmatch(r"FROM python:\d+\.\d+\.\d+-slim-\w+", lines[1])
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    assert "USER streams" in lines
