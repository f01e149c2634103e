"""What becomes of events when the emitting process ends without closing its client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streams.kafka.admin import KafkaAdmin
from streams.ports.records import TopicPartition
from streams.settings import child_environment

ROOT = Path(__file__).parents[2]
NOWHERE = "127.0.0.1:1"

EMIT = """
import atexit, os, sys, threading
from schemas.social import PhotoLiked
from streams.sdk import EventClient
def like(): return PhotoLiked(user_id=3, photo_id=5, owner_id=9)
client = EventClient()
client.emit_many([like() for _ in range(500)])
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=child_environment(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def environment(kafka):
    """Variables of a child whose broker has the topic, and a count of the records there."""
    admin = KafkaAdmin(kafka)
    admin.create_topic("social.photos", 1, {})
    photos = TopicPartition("social.photos", 0)
    yield (
        {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "STREAMS_NAMESPACE": kafka.namespace},
        lambda: admin.ends([photos])[photos],
    )
    admin.close()


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("code", "status", "count"),
    [
        (EMIT, 0, 500),
        (EMIT + "sys.exit(7)", 7, 500),
        (EMIT + "1 / 0", 1, 500),
        (EMIT + "atexit.register(lambda: client.emit(like()))", 0, 501),
        (EMIT + "threading.Thread(target=lambda: client.emit_many([like()] * 9)).start()", 0, 509),
    ],
    ids=["end", "exit", "error", "exit handler", "thread"],
)
def test_the_end_of_a_process_flushes(environment, code, status, count):
    """The tail that is lost at exit is the oldest complaint about producers."""
    variables, records = environment

    ended = run(code, STREAMS_EMIT_LINGER_MS="60000", **variables)

    assert (status, count) == (ended.returncode, records()), ended.stderr


@pytest.mark.kafka
def test_the_child_of_a_fork_ends_without_touching_the_parents_events(environment):
    """librdkafka's threads stay with the parent: a flush in the child would never end."""
    variables, records = environment
    code = EMIT + (
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )

    ended = run(code, STREAMS_EMIT_LINGER_MS="60000", **variables)

    assert ("0\n", 0, 500) == (ended.stdout, ended.returncode, records()), ended.stderr


@pytest.mark.kafka
def test_the_child_of_a_fork_can_open_its_own_client(environment):
    """Prefork servers do."""
    variables, records = environment
    code = EMIT + (
        "child = os.fork()\n"
        "if child == 0:\n"
        "    with EventClient() as own: own.emit_many([like()] * 20)\n"
        "    sys.exit(0)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )

    ended = run(code, **variables)

    assert ("0\n", 0, 520) == (ended.stdout, ended.returncode, records()), ended.stderr


def test_events_that_could_not_be_sent_fail_the_process_and_are_counted():
    """A job's scheduler sees only the exit code."""
    code = EMIT + "print('all is well')\nsys.exit(0)"

    ended = run(
        code,
        KAFKA_BOOTSTRAP_SERVERS=NOWHERE,
        STREAMS_EMIT_FLUSH_TIMEOUT_S="0.3",
        STREAMS_LOG="json",
    )

    assert 1 == ended.returncode
    assert "all is well\n" == ended.stdout
    assert "500 events were not acknowledged" in ended.stderr


def test_failures_that_nobody_looked_at_fail_the_process():
    """Fire and forget: the delivery timed out long before the exit."""
    code = EMIT.replace("client.emit_many", "*_, last = client.emit_many") + "last.exception(30)"

    ended = run(code, KAFKA_BOOTSTRAP_SERVERS=NOWHERE, STREAMS_EMIT_DELIVERY_TIMEOUT_S="0.3")

    assert 1 == ended.returncode
    assert "499 events were not acknowledged" in ended.stderr


def test_failures_that_were_looked_at_are_the_programs_own_business():
    """It may have stored them elsewhere; failing it would be wrong."""
    code = EMIT.replace("client.emit_many", "receipts = client.emit_many") + (
        "assert all(receipt.exception(30) for receipt in receipts)"
    )

    ended = run(code, KAFKA_BOOTSTRAP_SERVERS=NOWHERE, STREAMS_EMIT_DELIVERY_TIMEOUT_S="0.3")

    assert 0 == ended.returncode, ended.stderr
