"""Reading verbs against a real broker: get, dump, top, tail, quarantine, parked and doctor."""

import json
import subprocess
import sys

import msgspec
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from schemas.counters import PhotoCounters
from schemas.social import PhotoLiked
from streams.cli.main import app
from streams.engine.decisions import Decision, DecisionKind
from streams.kafka.admin import KafkaAdmin
from streams.settings import TopicSettings, child_environment
from streams.topics.apply import apply_topics
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics
from streams.views.results import Results

pytestmark = pytest.mark.kafka

CATALOG = Catalog.of(PhotoCounters)
COMPACTED = {"cleanup.policy": "compact"}


@pytest.fixture(autouse=True)
def _environment(kafka, monkeypatch, tmp_path):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("STREAMS_NAMESPACE", kafka.namespace)
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))


@pytest.fixture
def admin(kafka):
    return KafkaAdmin(kafka)


@pytest.fixture
def write(kafka):
    """Writes (topic, key, value[, headers]) in one transaction, committed unless told otherwise."""
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "transactional.id": f"{kafka.namespace}writer",
            "partitioner": "murmur2_random",
            "log_level": 2,
        }
    )
    producer.init_transactions(30)

    def write(*records, commit=True):
        producer.begin_transaction()
        for topic, key, value, *headers in records:
            name = kafka.namespace + topic
            producer.produce(name, value, key, headers=headers[0] if headers else None)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)

    return write


def run(*args):
    return CliRunner().invoke(app, list(args))


def objects(shown):
    return [json.loads(line) for line in shown.stdout.splitlines()]


def counted(photo_id, likes, owner_id=9):
    one = PhotoCounters(
        photo_id=photo_id, owner_id=owner_id, likes=likes, comments=0, comment_likes=0, shares=0,
        deleted=False,
    )  # fmt: skip
    return "counters.photos", str(photo_id), CATALOG.encoder(PhotoCounters).encode(one)


def liked(user_id, photo_id):
    event = PhotoLiked(user_id=user_id, photo_id=photo_id, owner_id=9, event_id=bytes(15) + b"\1")
    return "social.photos", str(photo_id), CATALOG.encoder(PhotoLiked).encode(event)


@pytest.fixture
def photos(admin):
    admin.create_topic("counters.photos", 4, COMPACTED)


def test_get_shows_the_committed_result(photos, write):
    """The first thing a newcomer does after a like."""
    write(counted(5, likes=1), counted(6, likes=7))
    write(counted(5, likes=2))
    write(counted(5, likes=99), commit=False)

    shown = run("get", "counters.photos", "5", "--json")

    assert shown.exit_code == 0
    assert objects(shown) == [
        {
            "type": "PhotoCounters",
            "photo_id": 5,
            "owner_id": 9,
            "likes": 2,
            "comments": 0,
            "comment_likes": 0,
            "shares": 0,
            "deleted": False,
        }
    ]


def test_get_for_people_is_a_line_a_field(photos, write):
    """Without --json it is read, not parsed."""
    write(counted(5, likes=2))

    lines = [line.split() for line in run("get", "counters.photos", "5").stdout.splitlines()]

    assert ["likes", "2"] in lines
    assert ["deleted", "false"] in lines


def test_get_of_a_key_without_a_result_is_exit_code_4(photos, write):
    """So that a script can tell nothing from an error."""
    write(counted(5, likes=2))
    write(("counters.photos", "5", None))

    for key in ("5", "6"):
        shown = run("get", "counters.photos", key)

        assert shown.exit_code == 4
        assert shown.stdout == ""
        assert shown.stderr.count("\n") == 1


def test_results_see_what_was_committed_just_before(photos, write, kafka):
    """A commit returns before its markers are written; reading must not race them."""
    with Results("counters.photos", kafka, catalog=CATALOG) as results:
        for likes in range(1, 31):
            write(counted(5, likes=likes))

            assert results.get(5).likes == likes


def test_dump_is_one_object_a_key(photos, write):
    """Newest values only, tombstoned keys absent, nothing else on standard output."""
    write(*(counted(number, likes=number) for number in range(50)))
    write(counted(3, likes=100), ("counters.photos", "4", None))
    write(counted(5, likes=999), commit=False)

    shown = run("dump", "counters.photos")

    assert shown.exit_code == 0
    likes = {one["photo_id"]: one["likes"] for one in objects(shown)}
    assert likes == {number: number for number in range(50) if number != 4} | {3: 100}
    assert all(next(iter(one)) == "type" for one in objects(shown))


def test_dump_with_position_tells_where_each_value_stands(photos, write, admin):
    """The place leads back to the record in the log."""
    write(counted(5, likes=1))

    (one,) = objects(run("dump", "counters.photos", "--with-position"))

    assert one["_topic"] == "counters.photos"
    assert one["_partition"] in range(4)
    assert one["_offset"] == 0


def test_top_ranks_by_value_then_numeric_key(photos, write):
    """9 stands before 10 where both have the same value."""
    write(counted(10, 3), counted(9, 3), counted(2, 7), counted(1, 0))

    as_json = objects(run("top", "counters.photos", "likes", "-n", "3", "--json"))
    for_people = run("top", "counters.photos", "likes", "-n", "3").stdout.splitlines()

    assert [(one["photo_id"], one["likes"]) for one in as_json] == [(2, 7), (9, 3), (10, 3)]
    assert [line.split() for line in for_people] == [
        ["rank", "key", "likes"], ["1", "2", "7"], ["2", "9", "3"], ["3", "10", "3"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "exit_code"),
    [
        (("get", "counters.nothing", "5"), 4),
        (("dump", "social.photos"), 4),
        (("top", "counters.photos", "nothing"), 2),
        (("tail", "nothing"), 4),
        (("tail", "counters.photos", "--from", "yesterday"), 2),
        (("quarantine", "list", "nothing"), 4),
        (("parked", "list", "nothing"), 4),
    ],
)
def test_what_does_not_exist_is_told_in_one_line(photos, args, exit_code):
    """4 for what is not there, 2 for what cannot be meant."""
    shown = run(*args)

    assert shown.exit_code == exit_code
    assert shown.stdout == ""
    assert shown.stderr.startswith("error: found ")


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


@pytest.fixture
def service(admin):
    admin.create_topic("demo.quarantine", 1, {})
    admin.create_topic("demo.decisions", 1, {})
    return "demo"


def quarantined(offset, value):
    headers = [
        ("source", b"an/older/1"), ("reason", b"bad magic"), ("detail", b"0xff"),
        ("source", f"social.photos/0/{offset}".encode()), ("service", b"demo"),
    ]  # fmt: skip
    return "demo.quarantine", "5", value, headers


def test_quarantine_list_is_a_line_a_record(service, write):
    """What, where from, why and when."""
    write(quarantined(3, b"\xff\x01"), quarantined(4, b"\xff\x02"))

    rows = objects(run("quarantine", "list", service, "--json"))
    lines = run("quarantine", "list", service).stdout.splitlines()

    assert [row["source"] for row in rows] == ["social.photos/0/3", "social.photos/0/4"]
    assert rows[0]["reason"] == "bad magic"
    assert rows[0]["key"] == "5"
    assert len(lines) == 3


def test_quarantine_show_has_the_original_bytes(service, write):
    """Nothing of the record may be lost, and what does decode is shown decoded."""
    good = liked(1, 5)[2]
    write(quarantined(3, b"\xff\x01"), quarantined(4, good))

    bad, decodable = objects(run("quarantine", "show", service, "--json"))
    (one,) = objects(run("quarantine", "show", service, "social.photos/0/4", "--json"))

    assert bad["value"] == "ff01"
    assert bad["event"]["_undecodable"]
    assert decodable["event"]["user_id"] == 1
    assert one["source"] == "social.photos/0/4"
    assert run("quarantine", "show", service, "social.photos/0/9").exit_code == 4


def parked(at, key):
    decision = Decision(
        kind=DecisionKind.PARKED, topic="social.photos", partition=0, at=at, fold="photos",
        key=key, reason="handler raised", detail="KeyError: 'x'",
    )  # fmt: skip
    return "demo.decisions", "social.photos/0", msgspec.json.encode(decision)


def test_parked_list_is_a_line_a_key(service, write):
    """A key that was parked again is told once, as it was parked last."""
    other = Decision(
        kind=DecisionKind.QUARANTINED, topic="social.photos", partition=0, at=1, reason="bad magic"
    )
    write(
        parked(3, 5),
        ("demo.decisions", "social.photos/0", msgspec.json.encode(other)),
        parked(7, [3, 9]),
        parked(8, 5),
    )

    rows = objects(run("parked", "list", service, "--json"))

    assert [(row["key"], row["source"]) for row in rows] == [
        ("5", "social.photos/0/8"),
        ("3:9", "social.photos/0/7"),
    ]
    assert rows[0]["fold"] == "photos"
    assert len(run("parked", "list", service).stdout.splitlines()) == 3


def test_parked_show_has_the_event_that_the_handler_raised_on(service, admin, write):
    """It is read from where it stands in the log; the decision holds no copy."""
    admin.create_topic("social.photos", 1, {})
    write(liked(1, 5), liked(2, 5))
    write(parked(1, 5), parked(70, 6))

    (found,) = objects(run("parked", "show", service, "5", "--json"))
    (lost,) = objects(run("parked", "show", service, "6", "--json"))

    assert found["event"]["user_id"] == 2
    assert found["value"] == liked(2, 5)[2].hex()
    assert lost["event"] is None
    assert run("parked", "show", service, "7").exit_code == 4


def test_doctor_passes_on_a_cluster_with_all_topics(admin):
    """Exit code 0, so that it can stand in a start script."""
    declared = declared_topics(CATALOG, ["counters"])
    apply_topics(declared, admin, TopicSettings(), folded=set())

    shown = run("doctor", "--json")

    assert shown.exit_code == 0
    assert {one["check"] for one in objects(shown)} >= {
        "broker", "client", "groups", "offsets", "topics", "home", "extras",
    }  # fmt: skip
    assert all(one["status"] != "fail" for one in objects(shown))


def test_doctor_tells_missing_topics_and_exits_1():
    """What fails comes with the command that helps."""
    shown = run("doctor")

    assert shown.exit_code == 1
    assert "streams topics apply" in shown.stdout


@pytest.mark.parametrize("args", [["doctor"], ["--debug", "get", "counters.photos", "5"]])
def test_no_broker_is_exit_code_3(args, monkeypatch):
    """Unreachable is told apart from wrong, and no secret is in the message."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    monkeypatch.setenv("KAFKA_SASL_MECHANISM", "PLAIN")
    monkeypatch.setenv("KAFKA_SASL_USERNAME", "ann")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hunter2")

    shown = run(*args)

    assert shown.exit_code == 3
    assert "127.0.0.1:1" in shown.output
    assert "hunter2" not in shown.output
