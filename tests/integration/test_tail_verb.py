"""tail against a real broker: from where, how far, and what it makes of bad bytes."""

import json
import subprocess
import sys

import pytest

from streams.settings import child_environment
from tests.integration.verbs import liked, objects, run

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("environment")]


@pytest.fixture
def events(admin):
    admin.create_topic("social.photos", 2, {})


def test_tail_shows_the_last_records(events, write):
    """Markers between them do not count."""
    for user_id in range(12):
        write(liked(user_id, photo_id=5))

    found = objects(run("tail", "social.photos", "-n", "3", "--json"))

    assert [one["user_id"] for one in found] == [9, 10, 11]
    assert found[0]["type"] == "PhotoLiked"
    assert found[0]["_topic"] == "social.photos"
    assert found[0]["_key"] == "5"
    assert {"_partition", "_offset", "_time"} <= set(found[0])


def test_tail_from_the_start_stops_where_the_log_ends(events, write):
    """With -n a script is never left waiting."""
    write(liked(1, 5), liked(2, 5))

    found = objects(run("tail", "social.photos", "-n", "10", "--from", "start", "--json"))

    assert [one["user_id"] for one in found] == [1, 2]


def test_tail_from_an_offset_and_from_a_time(events, write):
    """Both are ways back to an incident."""
    write(*(liked(user_id, 5) for user_id in range(4)))

    from_offset = objects(run("tail", "social.photos", "-n", "9", "--from", "2", "--json"))
    from_time = objects(
        run("tail", "social.photos", "-n", "9", "--from", "2020-01-01T00:00:00Z", "--json")
    )
    from_future = run("tail", "social.photos", "-n", "9", "--from", "2100-01-01", "--json")

    assert [one["user_id"] for one in from_offset] == [2, 3]
    assert len(from_time) == 4
    assert from_future.stdout == ""


def test_tail_shows_what_it_cannot_decode(events, write):
    """Bytes of a stranger are shown with the reason, and the rest goes on."""
    write(("social.photos", "5", b"\xffgarbage"), ("social.photos", "5", None), liked(1, 5))

    bad, tombstone, good = objects(
        run("tail", "social.photos", "-n", "9", "--from", "start", "--json")
    )
    lines = run("tail", "social.photos", "-n", "9", "--from", "start").stdout.splitlines()

    assert bad["_undecodable"]
    assert bad["_value"] == b"\xffgarbage".hex()
    assert tombstone["_tombstone"] is True
    assert good["user_id"] == 1
    assert len(lines) == 3
    assert "PhotoLiked" in lines[2]


def test_tail_follows_until_it_is_interrupted(events, write, kafka):
    """Without -n it waits for more, and Ctrl-C is no error with a traceback."""
    write(liked(1, 5))
    environment = child_environment(
        {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "STREAMS_NAMESPACE": kafka.namespace}
    )
    command = [sys.executable, "-m", "streams.cli.main", "tail", "social.photos", "--json"]
    with subprocess.Popen(
        [*command, "--from", "start"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, text=True,
    ) as child:  # fmt: skip
        first = json.loads(child.stdout.readline())
        write(liked(2, 5))
        second = json.loads(child.stdout.readline())
        child.send_signal(2)
        complaint = child.stderr.read()
        child.wait(30)

    assert [first["user_id"], second["user_id"]] == [1, 2]
    assert child.returncode == 130
    assert complaint == ""
