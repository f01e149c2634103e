"""quarantine and parked against a real broker."""

from functools import partial

import msgspec
import pytest

from streams.engine.decisions import Decision, DecisionKind
from tests.integration.verbs import counted, liked, objects, run

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("environment")]


@pytest.fixture
def service(admin):
    admin.create_topic("demo.quarantine", 1, {})
    admin.create_topic("demo.decisions", 1, {})
    admin.create_topic("social.photos", 1, {})
    return "demo"


@pytest.fixture
def topic_id(service, admin):
    """The id of the topic that was folded."""
    return admin.topics(["social.photos"])["social.photos"].topic_id


@pytest.fixture
def quarantined(topic_id):
    return partial(quarantined_of, topic_id)


@pytest.fixture
def parked(topic_id):
    return partial(parked_of, topic_id)


def quarantined_of(topic_id, offset, value):
    headers = [
        ("source", b"an/older/1"), ("reason", b"bad magic"), ("detail", b"0xff"),
        ("source", f"social.photos/0/{offset}".encode()), ("topic_id", topic_id.encode()),
        ("service", b"demo"),
    ]  # fmt: skip
    return "demo.quarantine", "5", value, headers


def test_quarantine_list_is_a_line_a_record(service, quarantined, write):
    """What, where from, why and when."""
    write(quarantined(3, b"\xff\x01"), quarantined(4, b"\xff\x02"))

    rows = objects(run("quarantine", "list", service, "--json"))
    lines = run("quarantine", "list", service).stdout.splitlines()

    assert [row["source"] for row in rows] == ["social.photos/0/3", "social.photos/0/4"]
    assert list(rows[0]) == [
        "source", "key", "state", "reason", "detail", "time", "changed", "of_earlier_topic",
    ]  # fmt: skip
    assert (rows[0]["key"], rows[0]["reason"], rows[0]["detail"]) == ("5", "bad magic", "0xff")
    assert len(lines) == 3


def test_quarantine_show_has_the_original_bytes(service, quarantined, write):
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


def parked_of(topic_id, at, key, **changes):
    decision = Decision(
        kind=DecisionKind.PARKED, topic="social.photos", topic_id=topic_id, partition=0, at=at,
        fold="photos", key=key, reason="handler raised", detail="KeyError: 'x'", **changes,
    )  # fmt: skip
    return "demo.decisions", "social.photos/0", msgspec.json.encode(decision)


def test_parked_list_is_a_line_a_key(service, topic_id, parked, write):
    """A key that was parked again is told once, as it was parked last."""
    other = Decision(
        kind=DecisionKind.QUARANTINED,
        topic="social.photos",
        topic_id=topic_id,
        partition=0,
        at=1,
        reason="bad magic",
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


@pytest.mark.parametrize("verb", ["quarantine", "parked"])
@pytest.mark.parametrize("command", ["list", "show"])
def test_nothing_is_said_in_words_and_to_scripts_by_silence(service, verb, command):
    """Bare column names, or no word at all, look like a fault."""
    shown = run(verb, command, service)
    as_json = run(verb, command, service, "--json")

    assert (shown.exit_code, as_json.exit_code, as_json.stdout) == (0, 0, "")
    assert shown.stdout in ("demo quarantined nothing\n", "demo parked nothing\n")


def test_a_source_that_is_none_is_wrong_input(service):
    """4 would say that the record is not quarantined."""
    shown = run("quarantine", "show", service, "social.photos")

    assert shown.exit_code == 2
    assert "wanted topic/partition/offset, such as social.photos/3/17" in shown.stderr


def test_parked_show_has_the_event_that_the_handler_raised_on(service, parked, write):
    """It is read from where it stands in the log; the decision holds no copy."""
    write(liked(1, 5), liked(2, 5))
    write(parked(1, 5), parked(70, 6))

    (found,) = objects(run("parked", "show", service, "5", "--json"))
    (lost,) = objects(run("parked", "show", service, "6", "--json"))

    assert found["event"]["user_id"] == 2
    assert found["value"] == liked(2, 5)[2].hex()
    assert lost["event"] is None
    assert run("parked", "show", service, "7").exit_code == 4


def test_a_key_that_a_result_parked_is_shown_with_its_own_last_event(service, parked, write):
    """The offset it is skipped from may be that of another key's event."""
    write(liked(1, 5), liked(2, 6), liked(3, 6), liked(4, 5), liked(5, 6))
    write(parked(0, 6, raised_by="result", up_to=3, where="likes.py:17"))

    (listed,) = objects(run("parked", "list", service, "--json"))
    (shown,) = objects(run("parked", "show", service, "6", "--json"))

    assert (listed["source"], listed["skipped_from"]) == (None, "social.photos/0/0")
    assert (shown["source"], shown["event"]["user_id"]) == ("social.photos/0/2", 3)
    assert (shown["state_up_to"], shown["where"]) == ("social.photos/0/3", "likes.py:17")


def test_no_event_is_shown_for_a_result_whose_events_are_not_found(service, parked, write):
    """A wrong one would be worse than none."""
    write(liked(1, 5), liked(2, 6))
    write(parked(0, 6, raised_by="result", up_to=0), parked(1, 7, raised_by="result"))

    shown = objects(run("parked", "show", service, "--json"))

    assert [(None, None)] * 2 == [(one["source"], one["event"]) for one in shown]


def test_what_was_parked_of_an_earlier_topic_is_marked_and_has_no_event(service, topic_id, write):
    """Another record stands at its offset; `lag`, `doctor` and `get` leave it out as well."""
    write(liked(1, 5))
    write(parked_of("gone", 0, 5), parked_of(topic_id, 0, 6))

    listed = run("parked", "list", service, "--json")
    old, new = objects(run("parked", "show", service, "--json"))

    assert ["6"] == [row["key"] for row in objects(listed)]
    assert "left out: 1 of topics that were deleted or made again" in listed.stderr
    assert "`streams parked show demo`" in listed.stderr
    assert ("5", True, None) == (old["key"], old["of_earlier_topic"], old["event"])
    assert (False, 1) == (new["of_earlier_topic"], new["event"]["user_id"])


def test_a_key_parked_in_both_topics_is_told_of_both(service, topic_id, write):
    """The old decision is not that of the record which stands at its offset now."""
    write(liked(1, 5), liked(2, 5))
    write(parked_of(topic_id, 1, 5), parked_of("gone", 0, 5))

    found = objects(run("parked", "show", service, "5", "--json"))

    assert {False, True} == {one["of_earlier_topic"] for one in found}
    assert ["5"] == [row["key"] for row in objects(run("parked", "list", service, "--json"))]


def test_what_was_quarantined_of_an_earlier_topic_is_marked(service, topic_id, write):
    """Its bytes are still to be had, and the list is what is skipped."""
    write(quarantined_of("gone", 3, b"\xff\x01"), quarantined_of(topic_id, 3, b"\xff\x02"))

    listed = run("quarantine", "list", service, "--json")
    shown = objects(run("quarantine", "show", service, "social.photos/0/3", "--json"))

    assert [False] == [row["of_earlier_topic"] for row in objects(listed)]
    assert "left out: 1 of topics that were deleted or made again" in listed.stderr
    assert [("ff01", True), ("ff02", False)] == [
        (one["value"], one["of_earlier_topic"]) for one in shown
    ]


def test_a_parked_key_is_told_wherever_somebody_looks(admin, write):
    """A number that is wrong while lag is 0 gives no other hint."""
    assert run("topics", "apply").exit_code == 0
    topic_id = admin.topics(["social.photos"])["social.photos"].topic_id
    decision = Decision(
        kind=DecisionKind.PARKED, topic="social.photos", topic_id=topic_id, partition=1, at=3,
        fold="photos", key=5, reason="KeyError", raised_by="handler", results=("counters.photos",),
    )  # fmt: skip
    write(("counters.decisions", "k", msgspec.json.encode(decision)), counted(5, 1), counted(6, 1))

    parked, other = run("get", "counters.photos", "5"), run("get", "counters.photos", "6")
    lags = objects(run("lag", "counters", "--json"))
    (found,) = [one for one in objects(run("doctor", "--json")) if one["check"] == "skipped"]

    rows = {(row["topic"], row["partition"]): row["parked"] for row in lags}
    assert (parked.exit_code, other.exit_code, other.stderr) == (0, 0, "")
    assert "streams parked show counters 5" in parked.stderr
    assert [rows["social.photos", 0], rows["social.photos", 1], rows["*", None]] == [0, 1, 1]
    assert "streams parked retry counters 5" in parked.stderr
    assert (found["status"], found["advice"]) == (
        "warn",
        "run: streams parked list counters; with a mended handler: streams parked retry counters "
        "--all",
    )
