"""parked retry and quarantine redrive against a real broker; nobody answers but the test."""

import threading

import msgspec
import pytest

from streams.cli import answers
from streams.engine.decisions import Decision, DecisionKind, decision_of
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from tests.acceptance.home import until
from tests.integration.verbs import objects, run

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("environment")]

DECISIONS = TopicPartition("demo.decisions", 0)


@pytest.fixture
def decided(admin, write):
    """Writes decisions about the photos' topic; returns what it writes them with."""
    admin.create_topic("demo.quarantine", 1, {})
    admin.create_topic("demo.decisions", 1, {})
    admin.create_topic("social.photos", 2, {})
    topic_id = admin.topics(["social.photos"])["social.photos"].topic_id

    def decide(kind, at, partition=0, **fields):
        reason = fields.pop("reason", "")
        told = Decision(
            kind=kind, topic="social.photos", topic_id=fields.pop("topic_id", topic_id),
            partition=partition, at=at, reason=reason, **fields,
        )  # fmt: skip
        record = ("demo.decisions", "k", msgspec.json.encode(told))
        if kind is not DecisionKind.QUARANTINED:
            write(record)
            return told
        headers = [
            ("reason", reason.encode()), ("source", f"{told.source}/{at}".encode()),
            ("topic_id", told.topic_id.encode()), ("service", b"demo"),
        ]  # fmt: skip
        write(record, ("demo.quarantine", str(at), b"\xff", headers))
        return told

    return decide


@pytest.fixture
def parked(decided):
    """Two keys of one fold in two partitions."""
    return [
        decided(DecisionKind.PARKED, 3, fold="likes", key=5, reason="KeyError", detail="'x'"),
        decided(DecisionKind.PARKED, 4, 1, fold="likes", key=[3, 9], reason="ValueError"),
    ]


@pytest.fixture
def quarantined(decided):
    """Three records in two partitions."""
    return [
        decided(DecisionKind.QUARANTINED, at, partition, reason="unknown schema id")
        for at, partition in ((3, 0), (33, 0), (3, 1))
    ]


@pytest.fixture
def asked(kafka):
    """What stands in the decisions topic as requests."""

    def read():
        reader = KafkaReader(kafka)
        try:
            found = [decision_of(one) for one in reader.read({DECISIONS: 0})]
        finally:
            reader.close()
        return [one for one in found if one.kind.value.endswith("asked")]

    return read


def test_a_retry_asks_for_one_key_and_is_listed(parked, asked):
    """Without a worker the request stands, and says so with exit code 1."""
    ended = run("parked", "retry", "demo", "3:9", "--wait", "0.1")
    states = {row["key"]: row["state"] for row in objects(run("parked", "list", "demo", "--json"))}

    (request,) = asked()
    assert (1, "") == (ended.exit_code, ended.stdout)
    assert "1 key not answered in time; the request stands" in ended.stderr
    assert "`streams run demo`" in ended.stderr
    assert (DecisionKind.RETRY_ASKED, "likes", (3, 9), 4) == (
        request.kind, request.fold, request.fold_key, request.at,
    )  # fmt: skip
    assert {"5": "parked", "3:9": "retry asked"} == states


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["--all"], {5, (3, 9)}),
        (["--all", "--source", "social.photos/1"], {(3, 9)}),
        (["--all", "--source", "social.photos"], {5, (3, 9)}),
        (["--all", "--source", "social"], set()),
        (["5"], {5}),
    ],
)
def test_a_retry_takes_what_is_named(parked, asked, arguments, keys):
    """A half of a topic's name is none."""
    ended = run("parked", "retry", "demo", *arguments, "--wait", "0")

    assert ended.exit_code == 0, ended.stderr
    assert keys == {one.fold_key for one in asked()}


@pytest.mark.parametrize(
    ("arguments", "records"),
    [
        (["social.photos/0/3"], {(0, 3)}),
        (["social.photos/0"], {(0, 3), (0, 33)}),
        (["--key", "3"], {(0, 3), (1, 3)}),
        (["social.photos/1", "--key", "3"], {(1, 3)}),
        (["--all"], {(0, 3), (0, 33), (1, 3)}),
    ],
)
def test_a_redrive_takes_what_is_named(quarantined, asked, arguments, records):
    """The offset 3 is not the beginning of 33."""
    ended = run("quarantine", "redrive", "demo", *arguments, "--wait", "0")

    assert ended.exit_code == 0, ended.stderr
    assert records == {(one.partition, one.at) for one in asked()}


@pytest.mark.parametrize("verb", [("parked", "retry"), ("quarantine", "redrive")])
def test_a_dry_run_asks_for_nothing(parked, quarantined, asked, verb):
    """It shows what would be asked."""
    ended = run(*verb, "demo", "--all", "--dry-run")
    as_json = run(*verb, "demo", "--all", "--dry-run", "--json")

    assert (0, 0) == (ended.exit_code, as_json.exit_code)
    assert "would be asked for; nothing was written" in ended.stderr
    assert [] == asked()
    assert len(ended.stdout.splitlines()) == len(objects(as_json)) >= 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["parked", "retry", "demo"], 2),
        (["parked", "retry", "demo", "5", "--all"], 2),
        (["parked", "retry", "demo", "77"], 4),
        (["quarantine", "redrive", "demo"], 2),
        (["quarantine", "redrive", "demo", "social.photos/0/3", "--all"], 2),
        (["quarantine", "redrive", "demo", "social.photos/0/4"], 4),
        (["parked", "retry", "nobody", "5"], 4),
    ],
)
def test_what_cannot_be_asked_is_refused(parked, quarantined, asked, arguments, code):
    """Nothing is written then."""
    ended = run(*arguments)

    assert (code, []) == (ended.exit_code, asked())


def test_what_flows_again_and_what_is_gone_are_not_asked_for(decided, asked):
    """A key of an earlier topic is skipped by nobody."""
    decided(DecisionKind.PARKED, 3, fold="likes", key=5)
    decided(DecisionKind.RETRIED, 9, fold="likes", key=5, original=3)
    decided(DecisionKind.PARKED, 3, fold="likes", key=6, topic_id="gone")

    ended = run("parked", "retry", "demo", "--all", "--wait", "0")
    one = run("parked", "retry", "demo", "5")

    assert (0, 4, []) == (ended.exit_code, one.exit_code, asked())
    assert "no parked key 5 any more" in one.stderr


def test_answers_are_told_as_they_come(parked, quarantined, decided, asked):
    """Each with its error; one failure makes exit code 1."""
    failed = {"reason": "TypeError", "detail": "no", "where": "likes.py:7"}
    answers = [
        (DecisionKind.RETRY_FAILED, {"fold": "likes", "key": 5, "original": 3, **failed}),
        (DecisionKind.RETRIED, {"fold": "likes", "key": [3, 9], "original": 4, "partition": 1}),
    ]

    def answer():
        until(lambda: len(asked()) == 2, 20, "both keys asked for")
        for kind, fields in answers:
            decided(kind, 40, **fields)

    owner = threading.Thread(target=answer)
    owner.start()
    ended = run("parked", "retry", "demo", "--all", "--wait", "30")
    owner.join()
    rows = {row["key"]: row for row in objects(run("parked", "list", "demo", "--json"))}

    assert ended.exit_code == 1
    # They come from two partitions, in either order.
    assert [
        "retried: likes 3:9",
        "retry failed: likes 5: TypeError: no (likes.py:7)",
    ] == sorted(ended.stdout.splitlines())
    assert "1 key failed again, and stayed as before" in ended.stderr
    assert ("retry failed", "TypeError") == (rows["5"]["state"], rows["5"]["reason"])
    assert "retried" == rows["3:9"]["state"]
    assert rows["5"]["skipped_from"] == "social.photos/0/3"


def test_a_redriven_record_is_told_in_lists(quarantined, decided):
    """With the new reason where it failed again."""
    decided(DecisionKind.REDRIVEN, 40, original=3)
    decided(DecisionKind.REDRIVE_FAILED, 40, original=33, reason="truncated")

    rows = objects(run("quarantine", "list", "demo", "--json"))

    assert [
        ("social.photos/0/3", "redriven", "unknown schema id"),
        ("social.photos/0/33", "redrive failed", "truncated"),
        ("social.photos/1/3", "quarantined", "unknown schema id"),
    ] == [(row["source"], row["state"], row["reason"]) for row in rows]


def test_what_somebody_else_asked_for_meanwhile_is_told_too(parked, decided, asked, monkeypatch):
    """While one reads the question of `--all`; nobody answers a request about what flows again."""

    class Slow(KafkaAdmin):
        def ends(self, *asked, **named):
            decided(DecisionKind.RETRIED, 40, fold="likes", key=5, original=3)
            return super().ends(*asked, **named)

    monkeypatch.setattr(answers, "KafkaAdmin", Slow)

    ended = run("parked", "retry", "demo", "5", "--wait", "1")

    assert (0, "retried: likes 5\n") == (ended.exit_code, ended.stdout), ended.stderr
