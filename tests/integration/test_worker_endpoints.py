"""A worker process as an orchestrator and Prometheus see it."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.social import PhotoLiked
from services.counters import SERVICE
from streams.clock import Deadline
from streams.engine.status import read_statuses, service_home
from streams.local.process import wait_until
from streams.sdk import EventClient
from streams.settings import KafkaSettings, child_environment
from tests.integration.verbs import run

EVENTS = 5
PROMISED = {
    "streams_records",
    "streams_events",
    "streams_commits",
    "streams_commit_seconds",
    "streams_lag_records",
    "streams_cache_entries",
    "streams_checkpoint_size_bytes",
    "streams_checkpoint_age_seconds",
    "streams_quarantined_records",
    "streams_parked_keys",
}

pytestmark = pytest.mark.kafka


@contextmanager
def worker(kafka, home):
    """A worker of the counters; yields its process."""
    environment = child_environment(
        {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "STREAMS_NAMESPACE": kafka.namespace,
            "STREAMS_HOME": str(home),
            "STREAMS_HTTP_PORT": "0",
            "STREAMS_CHECKPOINT_INTERVAL_S": "0.5",
        }
    )
    arguments = [sys.executable, "-m", "streams.engine.process", SERVICE.name, "0"]
    with (home / "worker.log").open("wb") as output:
        process = subprocess.Popen(
            arguments, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output
        )
    try:
        yield process
        process.stdin.close()
        assert process.wait(30) == 0, (home / "worker.log").read_text()
    finally:
        process.stdin.close()
        process.kill()
        process.wait()


def port_of(kafka, home):
    """Where the worker listens, as its status file tells."""
    found = []

    def is_listening():
        found[:] = [one.http for one in read_statuses(service_home(kafka, home), SERVICE.name)]
        return any(found)

    assert wait_until(is_listening, Deadline.after(60)), (home / "worker.log").read_text()
    return found[0]


def fetch(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def state(port, path):
    status, body = fetch(port, path)
    return status, json.loads(body)["state"]


def samples(port):
    """Every sample that a scrape finds now: (metric, sample)."""
    families = text_string_to_metric_families(fetch(port, "/metrics")[1])
    return [(family.name, sample) for family in families for sample in family.samples]


def total(port, name):
    return sum(sample.value for _, sample in samples(port) if sample.name == name)


def test_a_worker_shows_its_health_and_every_promised_metric(environment, kafka, tmp_path):
    """Dashboards and alerts are made of these names; a missing one is a silent alert."""
    assert run("topics", "apply").exit_code == 0
    with EventClient(kafka) as client:
        client.emit_many([PhotoLiked(user_id=n, photo_id=5, owner_id=9) for n in range(EVENTS)])

    with worker(kafka, tmp_path):
        port = port_of(kafka, tmp_path)
        is_ready = wait_until(lambda: fetch(port, "/readyz")[0] == 200, Deadline.after(60))
        is_folded = wait_until(
            lambda: total(port, "streams_events_total") >= EVENTS, Deadline.after(60)
        )
        is_whole = wait_until(
            lambda: (
                {
                    "streams_lag_records",
                    "streams_checkpoint_size_bytes",
                    "streams_checkpoint_age_seconds",
                    "streams_commit_seconds",
                }
                <= {name for name, _ in samples(port)}
            ),
            Deadline.after(60),
        )
        answers = state(port, "/livez"), state(port, "/readyz")
        scraped = fetch(port, "/metrics")[1]

    families = {family.name for family in text_string_to_metric_families(scraped)}
    assert (is_ready, is_folded, is_whole) == (True, True, True)
    assert answers == ((200, "live"), (200, "live"))
    assert families >= PROMISED


def test_a_worker_without_kafka_is_alive_and_starting(tmp_path):
    """It waits for the broker; a restart would not help, and traffic would find no results."""
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1", namespace="alone.")

    with worker(nowhere, tmp_path):
        port = port_of(nowhere, tmp_path)
        answers = state(port, "/livez"), state(port, "/readyz")

    assert answers == ((200, "starting"), (503, "starting"))
