"""The compose file: pinned, on loopback, healthy, and the same Kafka as `streams kafka up`."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from streams.local import compose
from streams.local.jars import KAFKA_VERSION
from streams.local.properties import SIZES, TUNING

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FILE = ROOT / "docker-compose.kafka.yml"
SERVICES = yaml.safe_load(FILE.read_text())["services"]
PULLED = {name: service for name, service in SERVICES.items() if "build" not in service}
BROKERS = [(size, name) for size, names in compose.SERVICES.items() for name in names]
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


@pytest.mark.parametrize(("size", "name"), BROKERS)
def test_a_broker_has_the_settings_of_the_local_kafka(size, name):
    """What works on one must work on the other."""
    environment = SERVICES[name]["environment"]
    settings = TUNING | SIZES[size]

    expected = {f"KAFKA_{name.upper().replace('.', '_')}": text for name, text in settings.items()}

    assert expected.items() <= environment.items()


@pytest.mark.parametrize(("size", "name"), BROKERS)
def test_a_killed_broker_is_fenced_before_it_leads_again(size, name):
    """Else transactions stay open for ever; the suite on a Docker engine kills one."""
    *shell, script = SERVICES[name]["command"]

    assert ["sh", "-ec"] == shell
    assert script.index(".kafka_cleanshutdown") < script.index("exec /etc/kafka/docker/run")


@pytest.mark.parametrize(("size", "name"), BROKERS)
def test_a_broker_is_reached_where_the_command_says(size, name):
    """`streams kafka up --docker` writes that address down for every other command."""
    address = compose.SERVICES[size][name]
    port = address.rpartition(":")[2]

    assert SERVICES[name]["ports"] == [f"{address}:{port}"]
    assert f"HOST://{address}," in SERVICES[name]["environment"]["KAFKA_ADVERTISED_LISTENERS"]


def test_three_nodes_make_one_cluster():
    """Each has a number of its own, and all know the same voters."""
    nodes = [SERVICES[name]["environment"] for name in compose.SERVICES[3]]

    voters = ",".join(
        f"{node['KAFKA_NODE_ID']}@kafka-{node['KAFKA_NODE_ID']}:9093" for node in nodes
    )

    assert {voters} == {node["KAFKA_CONTROLLER_QUORUM_VOTERS"] for node in nodes}
    assert len({node["CLUSTER_ID"] for node in nodes}) == 1


@pytest.mark.parametrize(("size", "name"), BROKERS)
def test_a_broker_is_the_kafka_that_the_local_one_runs(size, name):
    """Two versions would differ in what they accept."""
    assert SERVICES[name]["image"] == f"apache/kafka:{KAFKA_VERSION}"


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
    """What was tried is what runs."""
    *_, build, image = DOCKERFILE.split("FROM ")

    for stage in (build, image):
        assert re.match(r"python:\d+\.\d+\.\d+-slim-\w+( AS \w+)?\n", stage)
        installs = [line for line in stage.splitlines() if "pip install" in line]
        assert all("--require-hashes -r " in line or "--no-deps" in line for line in installs)
    assert "\nUSER streams\n" in image


def test_the_image_has_what_a_service_needs_and_nothing_else():
    """Test tools and a Java would double its size, and what could be wrong with it."""
    (lock,) = re.findall(r"-r /opt/(\S+)", DOCKERFILE)
    named = PROJECT["project"]
    extras = named["optional-dependencies"]
    needed = names_of([*named["dependencies"], *extras["engine"], *extras["trace"]])
    tools = [one for one in PROJECT["dependency-groups"]["dev"] if isinstance(one, str)]
    other = names_of([*extras["local"], *tools, *PROJECT["dependency-groups"]["build"]]) - needed

    installed = pinned(lock).keys()

    assert needed <= installed
    assert set() == other & installed


@pytest.mark.parametrize("lock", ["requirements.service.lock", "requirements.build.lock"])
def test_every_lock_file_pins_what_the_tests_ran_with(lock):
    """Versions and hashes: `make lock` writes them together."""
    assert pinned(lock).items() <= pinned("requirements.lock").items()
    assert f"!{lock}" in (ROOT / ".dockerignore").read_text().splitlines()


def names_of(requirements):
    return {re.match(r"[\w-]+", one)[0] for one in requirements}


def pinned(lock):
    """Version and hashes of each package of a lock file."""
    found = {}
    for line in (ROOT / lock).read_text().splitlines():
        if pin := re.match(r"([\w-]+)==(\S+)", line):
            found[pin[1]] = hashes = [pin[2]]
        elif "--hash=" in line:
            hashes.append(line.strip(" \\"))
    return found
