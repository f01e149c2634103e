"""`streams emit` on a real broker."""

import json

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from streams.ports.records import TopicPartition

LIKE = b'{"type": "PhotoLiked", "user_id": 3, "photo_id": 5, "owner_id": 9}\n'
PHOTOS = TopicPartition("social.photos", 0)


def emit(*args, lines):
    return CliRunner().invoke(app, ["emit", *args], input=lines)


@pytest.fixture
def ends(admin):
    """How many records are on the topic `social.photos`, which it makes."""
    admin.create_topic("social.photos", 1, {})
    return lambda: admin.ends([PHOTOS])[PHOTOS]


@pytest.mark.kafka
@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("options", [(), ("--stream",), ("--rate", "1000")], ids=" ".join)
def test_the_lines_of_a_file_arrive(ends, tmp_path, options):
    """Each way of sending gives the same log."""
    file = tmp_path / "likes.jsonl"
    file.write_bytes(LIKE * 20)

    shown = emit(str(file), "--json", *options, lines=b"")

    assert {"events": 20, "topics": {"social.photos": 20}} == json.loads(shown.stdout)
    assert (0, 20) == (shown.exit_code, ends())


@pytest.mark.kafka
@pytest.mark.usefixtures("environment")
def test_nothing_is_sent_when_the_last_line_is_wrong(ends):
    """Half a file in the log cannot be taken back."""
    shown = emit("-", lines=LIKE * 20 + b"{}")

    assert (2, 0) == (shown.exit_code, ends())


@pytest.mark.kafka
@pytest.mark.usefixtures("environment")
def test_a_stream_sends_what_came_before_a_wrong_line_and_says_so(ends):
    """A stream has no end to wait for."""
    shown = emit("-", "--stream", lines=LIKE * 20 + b"{}")

    assert (1, 20) == (shown.exit_code, ends())
    assert "line 21: " in shown.stderr
    assert "the 20 events before it were sent" in shown.stderr


@pytest.mark.kafka
@pytest.mark.usefixtures("environment")
def test_nothing_is_sent_when_one_of_the_topics_is_missing(ends):
    """Half a file in the log cannot be taken back."""
    friends = b'{"type": "FriendRequested", "requester_id": 9, "addressee_id": 3}\n'

    shown = emit("-", lines=LIKE * 20 + friends)

    assert (4, 0) == (shown.exit_code, ends())
    assert "social.relations" in shown.stderr


@pytest.mark.parametrize("options", [(), ("--stream",)], ids=" ".join)
def test_an_absent_broker_is_told_by_its_own_exit_code(monkeypatch, options):
    """Scripts try again on 3, and only on 3."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")

    shown = emit("-", *options, lines=LIKE)

    assert 3 == shown.exit_code
    assert "no Kafka broker that answers at 127.0.0.1:1" in shown.stderr
