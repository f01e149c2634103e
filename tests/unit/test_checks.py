"""What the doctor finds, fact by fact."""

import pytest

from streams.cli import checks
from streams.cli.checks import Status
from streams.engine.decisions import Decision, DecisionKind
from streams.engine.skipped import Skipped
from streams.kafka.describe import ClientVersions, Cluster
from streams.settings import WorkerSettings
from streams.topics.diff import Change, Difference


def cluster(**settings):
    usual = {
        "group.coordinator.rebalance.protocols": "classic,consumer",
        "group.consumer.assignors": "uniform,range",
        "offsets.retention.minutes": "525600",
    }
    return Cluster("localhost:9092", "id", 1, usual | settings)


def statuses(findings):
    return [finding.status for finding in findings]


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("2.11.1", Status.FAIL),
        ("2.12.0", Status.FAIL),
        ("2.14.2", Status.FAIL),
        ("2.15.0", Status.OK),
        ("2.16.0", Status.OK),
        ("3.0.0rc1", Status.OK),
    ],
)
def test_clients_that_stall_are_refused(version, status):
    """Before 2.15 the new group protocol stalls without a word."""
    findings = list(checks.check_clients(ClientVersions(version, version)))

    assert statuses(findings) == [status, status]
    assert all(finding.advice for finding in findings if finding.status is Status.FAIL)


def test_a_broker_without_the_new_groups_fails_with_a_way_out():
    """The classic protocol is one setting away."""
    old = cluster(**{"group.coordinator.rebalance.protocols": "classic"})

    (finding,) = checks.check_groups(old, WorkerSettings())

    assert finding.status is Status.FAIL
    assert "STREAMS_GROUP_PROTOCOL=classic" in finding.advice
    assert statuses(checks.check_groups(old, WorkerSettings(group_protocol="classic"))) == ["ok"]


def test_settings_that_may_not_be_read_are_a_warning():
    """Many hosted clusters do not show their settings; that alone is no fault."""
    hidden = Cluster("localhost:9092", "id", 3)

    assert statuses(checks.check_groups(hidden, WorkerSettings())) == ["warn"]
    assert statuses(checks.check_offsets_retention(hidden)) == ["warn"]
    assert hidden.release == "an unknown release"


@pytest.mark.parametrize(("days", "status"), [(7, "warn"), (89, "warn"), (90, "ok"), (365, "ok")])
def test_offsets_kept_for_less_than_90_days_are_a_warning(days, status):
    """After that a stopped service cannot go on by itself."""
    short = cluster(**{"offsets.retention.minutes": str(days * 24 * 60)})

    assert statuses(checks.check_offsets_retention(short)) == [status]


def difference(topic, change, found="1", wanted="2"):
    return Difference(topic, change, found=found, wanted=wanted)


def test_topics_as_declared_are_one_line():
    """What is right needs few words; topics of others are none of our business."""
    found = [difference("theirs", Change.UNDECLARED)]

    assert statuses(checks.check_topics(12, found)) == ["ok"]


def test_missing_topics_are_one_line_with_the_command():
    """Before the first apply all of them are missing."""
    found = [difference("a", Change.CREATE), difference("b", Change.CREATE)]

    (finding,) = checks.check_topics(12, found)

    assert finding.status is Status.FAIL
    assert finding.found == "2 of 12 declared topics are missing: a, b"
    assert "topics apply" in finding.advice


def test_each_changed_topic_is_told_on_its_own():
    """Other partitions and lost compaction break different things."""
    found = [difference("a", Change.REPARTITION), difference("b", Change.CONFIGURE)]

    findings = list(checks.check_topics(12, found))

    assert statuses(findings) == ["fail", "fail"]
    assert "a: found 1, wanted 2" in findings[0].found


def test_a_home_that_cannot_be_written_fails(tmp_path):
    """Checkpoints go there; a worker would stop at the first."""
    file = tmp_path / "file"
    file.write_text("")

    assert statuses(checks.check_home(file / "home")) == ["fail"]
    assert statuses(checks.check_home(tmp_path / "new" / "home")) == ["ok"]


def test_a_missing_extra_is_a_warning_with_its_name(monkeypatch):
    """An emit-only install is complete as it is."""
    monkeypatch.setattr(checks, "EXTRAS", {"surely_not_installed": "engine"})

    (finding,) = checks.check_extras()

    assert finding.status is Status.WARN
    assert "millrace[engine]" in finding.advice


def test_the_release_is_read_off_the_names_of_settings():
    """Kafka does not tell its release; some settings came or went with one."""
    assert cluster().release == "4.0 to 4.2"
    assert cluster(**{"inter.broker.protocol.version": "3.9-IV0"}).release == "3.9"
    newest = cluster(**{"group.coordinator.cached.buffer.max.bytes": "1"})
    assert newest.release == "4.3 or newer"


def decision(kind, **changes):
    return Decision(kind=kind, topic="t", topic_id="i", partition=0, at=1, reason="r", **changes)


def test_what_services_leave_out_is_a_warning_with_the_command_that_shows_it():
    """Lag 0 and a wrong number go together where a key is parked."""
    clean = Skipped("a", (), ())
    parking = Skipped("b", (decision(DecisionKind.PARKED, fold="f", key=5),) * 2, ())
    quarantining = Skipped("c", (), (decision(DecisionKind.QUARANTINED),))

    found = list(checks.check_skipped([clean, parking, quarantining]))

    assert statuses(found) == [Status.WARN, Status.WARN]
    assert found[0].found.startswith("b: keys parked: 2;")
    assert "streams parked list b" in found[0].advice
    assert found[1].found.startswith("c: records in quarantine, not folded: 1")
    assert "streams quarantine list c" in found[1].advice
    assert statuses(checks.check_skipped([clean])) == [Status.OK]
