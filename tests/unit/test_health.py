"""The worker's HTTP server: what it answers, and how it starts and stops."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

from streams import metrics
from streams.engine.health import HealthServer
from streams.errors import ConfigurationError


@dataclass
class FixedProbe:
    is_alive: bool = True
    is_ready: bool = True
    state: str = "running"


def fetch(server, path):
    url = f"http://127.0.0.1:{server.port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


@pytest.fixture
def probe():
    return FixedProbe()


@pytest.fixture
def server(probe):
    with HealthServer("127.0.0.1", 0, probe) as running:
        yield running


def test_a_running_worker_is_alive_and_ready(server):
    """The usual answer, which orchestrators look for by its status."""
    alive, ready = fetch(server, "/livez"), fetch(server, "/readyz")

    assert alive[0] == 200
    assert ready[0] == 200
    assert json.loads(ready[1]) == {"status": "ok", "state": "running"}


def test_a_restoring_worker_is_alive_but_not_ready(server, probe):
    """Restarting it because it restores would make it restore again."""
    probe.is_ready, probe.state = False, "restoring: 3 of 8 partitions left"

    alive, ready = fetch(server, "/livez"), fetch(server, "/readyz")

    assert alive[0] == 200
    assert ready[0] == 503
    assert json.loads(ready[1])["state"] == "restoring: 3 of 8 partitions left"


def test_a_stuck_worker_is_not_alive(server, probe):
    """Then a restart is what helps."""
    probe.is_alive, probe.state = False, "stuck"

    assert fetch(server, "/livez")[0] == 503


def test_metrics_are_served_as_prometheus_text(server):
    """A scrape finds the library's own metrics."""
    metrics.COMMITS.labels("health-test").inc(3)

    status, body = fetch(server, "/metrics")

    assert status == 200
    assert 'streams_commits_total{service="health-test"} 3.0' in body


def test_another_path_is_not_found(server):
    """A typing error is told apart from an unhealthy worker."""
    assert fetch(server, "/health")[0] == 404


def test_stopping_twice_is_fine(probe):
    """A worker stops it on every way out."""
    server = HealthServer("127.0.0.1", 0, probe)
    server.start()

    server.stop()
    server.stop()

    assert not server.ready()
    assert server.port == 0


def test_a_taken_port_names_the_setting(server, probe):
    """Two services with the same port on one machine is the usual mistake."""
    with pytest.raises(ConfigurationError, match="STREAMS_HTTP_PORT"):
        HealthServer("127.0.0.1", server.port, probe).start()


def test_an_impossible_port_names_the_setting(probe):
    """The socket raises OverflowError for it, which is no OSError."""
    with pytest.raises(ConfigurationError, match="STREAMS_HTTP_PORT"):
        HealthServer("127.0.0.1", 70_000, probe).start()
