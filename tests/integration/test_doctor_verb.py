"""doctor against a real broker, and against none."""

import pytest

from streams.settings import TopicSettings
from streams.topics.apply import apply_topics
from streams.topics.declared import declared_topics
from tests.integration.verbs import CATALOG, objects, run

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("environment")]


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


def test_doctor_measures_speed_and_leaves_no_topic(admin):
    """Whoever plans capacity asks the cluster at hand, and finds it afterwards as it was."""
    before = admin.names()

    shown = run("doctor", "--speed", "--json")

    speeds = {one["step"]: one for one in objects(shown) if one["check"] == "speed"}
    assert ["produce", "consume", "fold"] == list(speeds)
    assert all(one["records_per_s"] > 0 for one in speeds.values())
    assert before == admin.names()


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
