"""`streams emit` without a broker: what is checked, what is told, what is sent."""

from __future__ import annotations

import io
import json
import os
import threading

import pytest
from typer.testing import CliRunner

from schemas.social import PhotoLiked
from streams.cli import event_lines, main
from streams.cli.event_lines import checked, events
from streams.cli.sending import Sending
from streams.errors import BrokerUnavailable, DeliveryFailed, InputError, NotFound, StreamsError
from streams.sdk import EventClient
from streams.settings import EmitSettings
from streams.topics.catalog import Catalog
from streams.views.latest import unheard
from tests.unit.fake_producer import FakeProducer
from tests.unit.test_client import decoded

CATALOG = Catalog.of(PhotoLiked)
LIKE = b'{"type": "PhotoLiked", "user_id": 3, "photo_id": 5, "owner_id": 9}\n'
FRIENDS = b'{"type": "FriendRequested", "requester_id": 9, "addressee_id": 3}\n'


def run(*args, lines=b""):
    return CliRunner().invoke(main.app, ["emit", *args], input=lines)


def test_a_dry_run_counts_events_by_topic(tmp_path):
    """A check before a night's import, blank lines and all."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(LIKE * 3 + b"\n  \r\n" + FRIENDS)

    shown = run(str(file), "--dry-run", "--json")

    assert 0 == shown.exit_code
    expected = {"events": 4, "topics": {"social.photos": 3, "social.relations": 1}}
    assert expected == json.loads(shown.stdout)


def test_every_wrong_line_is_told_with_its_number():
    """One run must be enough to repair a file."""
    lines = LIKE + b"\n" + LIKE.replace(b"3", b"true") + LIKE + b"[]\n" + LIKE.replace(b"5", b"5.0")

    shown = run("-", "--dry-run", lines=lines)

    assert 2 == shown.exit_code
    assert "" == shown.stdout
    assert [
        "error: nothing was sent: found 3 wrong of 5 lines",
        "line 3: PhotoLiked.user_id: found true, wanted a JSON integer of 64 bits",
        "line 5: found [], wanted a JSON object",
        "line 6: PhotoLiked.photo_id: found 5.0, wanted a JSON integer of 64 bits",
    ] == shown.stderr.splitlines()


def test_of_many_wrong_lines_the_first_are_told():
    """A wrong file must not scroll a terminal away."""
    shown = run("-", "--dry-run", lines=b"[]\n" * 25)

    told = shown.stderr.splitlines()
    assert "error: nothing was sent: found 25 wrong of 25 lines" == told[0]
    assert ["line 20: found [], wanted a JSON object", "… and 5 more"] == told[-2:]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ('"PhotoPosted", "photo_id": 1, "owner_id": 2, "caption": "%s"', "at most 900,000"),
        ('"ConversationCounters", "conversation_id": 1, "messages": 2, "participants": 3', "folds"),
        ('"Flown"', "Flown"),
    ],
    ids=["too large", "a result", "unknown"],
)
def test_what_the_client_would_refuse_is_found_before_anything_is_sent(fields, told):
    """Valid JSON may still be no event that fits."""
    line = f'{{"type": {fields}}}'.replace("%s", "x" * 900_000)

    shown = run("-", "--dry-run", lines=line.encode())

    assert 2 == shown.exit_code
    assert told in shown.stderr


def test_a_line_too_long_for_any_event_is_refused_unread(monkeypatch):
    """A file without line ends must not be taken into memory whole."""
    monkeypatch.setattr(event_lines, "LONGEST_LINE", 100)

    shown = run("-", "--dry-run", lines=LIKE + b" " * 200 + LIKE)

    assert 2 == shown.exit_code
    assert "line 2: found more than 100 bytes" in shown.stderr


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """The message is all the user sees."""
    shown = run(str(tmp_path / "none.jsonl"), "--dry-run")

    assert 2 == shown.exit_code
    assert "none.jsonl: No such file" in shown.stderr


def test_a_dry_run_cannot_stream():
    """The two contradict each other."""
    assert 2 == run("-", "--dry-run", "--stream").exit_code


def test_an_input_that_is_read_once_can_be_read_again():
    """Standard input is checked as a whole, then sent; its line numbers stay."""
    end, start = os.pipe()
    lines = LIKE + b"\n" + FRIENDS * 2_000
    writer = threading.Thread(target=lambda: [os.write(start, lines), os.close(start)])
    writer.start()

    with os.fdopen(end, "rb") as pipe, checked(pipe, CATALOG, unheard) as (copy, found):
        again = [number for number, _ in events(copy, CATALOG)]
    writer.join()

    assert (2_001, [1, *range(3, 2_003)]) == (found.events, again)


@pytest.fixture
def producer():
    return FakeProducer(room=100_000)


@pytest.fixture
def client(producer):
    with EventClient(emit=EmitSettings(flush_timeout_s=0), producer=producer) as client:
        yield client


def numbered(count):
    return events(io.BytesIO(LIKE * count), CATALOG)


def test_events_are_sent_in_the_order_of_their_lines(client, producer):
    """Order by key follows from it."""
    producer.delivers = True
    lines = b"".join(LIKE.replace(b"3", b"%d" % user) for user in range(2_500))
    sending = Sending(client)

    sending.run(events(io.BytesIO(lines), CATALOG), 2_500, unheard)

    assert {"social.photos": 2_500} == sending.topics
    assert list(range(2_500)) == [decoded(record).user_id for record in producer.sent]


def test_the_line_that_failed_first_is_named(client, producer):
    """Everything from there on has to be looked at."""

    def refuse_the_third(lines):
        for number, event in lines:
            if number == 4:
                producer.deliver(2)
                producer.fail()
                producer.delivers = True
            yield number, event

    with pytest.raises(DeliveryFailed, match=r"1 of \d+ events .* first in line 3: ") as caught:
        Sending(client).run(refuse_the_third(numbered(50)), 50, unheard)

    assert 1 == caught.value.exit_code


def test_nothing_arrived_because_kafka_is_not_there(client, producer):
    """A script may then simply try again."""

    def absent(lines):
        yield from lines
        producer.fail("absent")

    with pytest.raises(BrokerUnavailable, match="3 of 3") as caught:
        Sending(client).run(absent(numbered(3)), 3, unheard)

    assert 3 == caught.value.exit_code


def test_a_wrong_line_found_while_streaming_ends_the_run(client, producer):
    """What came before it was sent already, which the user must know."""
    producer.delivers = True
    lines = io.BytesIO(LIKE * 2 + b"[]\n" + LIKE)

    with pytest.raises(
        StreamsError, match=r"line 3: .*; the 2 events before it were sent"
    ) as caught:
        Sending(client).run(events(lines, CATALOG), 0, unheard)

    assert (1, 2) == (caught.value.exit_code, len(producer.sent))


def test_a_wrong_first_line_is_wrong_input(client, producer):
    """Nothing was sent, so it is no partial run."""
    with pytest.raises(InputError, match="line 1: "):
        Sending(client).run(events(io.BytesIO(b"[]"), CATALOG), 0, unheard)

    assert 0 == producer.queued


def test_a_missing_topic_is_told_before_its_first_event(client, producer):
    """librdkafka would wait for it for half a minute."""
    with pytest.raises(NotFound, match=r"social\.relations"):
        Sending(client).run(events(io.BytesIO(FRIENDS), CATALOG), 0, unheard)

    assert 0 == producer.queued
