"""Comparing and making topics: what is missing is made, and nothing is ever lost."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from streams.avro.lock import LockFile
from streams.errors import ConfigurationError
from streams.settings import TopicSettings
from streams.topics.apply import apply_topics
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics, service_targets
from streams.topics.diff import Change, differences
from streams.topics.project import Project, find_project
from streams.topics.topic import Kind, Topic
from tests.unit.cluster import Cluster, Found

SETTINGS = TopicSettings(replication_factor=-1, min_insync_replicas=-1)
EVENTS = Topic(name="shop.orders", kind=Kind.EVENTS, partitions=4)
RESULTS = Topic(name="shop.counts", kind=Kind.RESULTS, partitions=2)
DECLARED = {topic.name: topic for topic in (EVENTS, RESULTS)}
FOREVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


def changes(declared, cluster):
    return [(one.topic, one.change) for one in differences(declared, cluster, SETTINGS)]


def test_missing_topics_are_made_as_declared():
    """Logs are kept for ever, results are compacted."""
    cluster = Cluster()

    done = apply_topics(DECLARED, cluster, SETTINGS)

    assert [("shop.orders", Change.CREATE), ("shop.counts", Change.CREATE)] == [
        (one.topic, one.change) for one in done
    ]
    assert Found("shop.orders", 4, FOREVER) == cluster.found["shop.orders"]
    assert Found("shop.counts", 2, {"cleanup.policy": "compact"}) == cluster.found["shop.counts"]


def test_applying_again_does_nothing():
    """It runs before every deployment."""
    cluster = Cluster()
    apply_topics(DECLARED, cluster, SETTINGS)

    assert apply_topics(DECLARED, cluster, SETTINGS) == []
    assert changes(DECLARED, cluster) == []


def test_a_setting_that_differs_is_corrected_and_others_are_left():
    """An operator's own settings are not ours to undo."""
    config = {**FOREVER, "retention.ms": "604800000", "max.message.bytes": "5"}
    cluster = Cluster(Found("shop.orders", 4, config))

    (done,) = apply_topics({"shop.orders": EVENTS}, cluster, SETTINGS)

    assert "found retention.ms=604800000, wanted retention.ms=-1" in str(done)
    assert {**FOREVER, "max.message.bytes": "5"} == cluster.found["shop.orders"].config


def test_retention_is_written_in_milliseconds():
    """Kafka's unit, whatever the file says."""
    short = Topic(
        name="shop.views", kind=Kind.EVENTS, partitions=1, retention=timedelta(seconds=90)
    )
    cluster = Cluster()

    apply_topics({"shop.views": short}, cluster, SETTINGS)

    assert cluster.found["shop.views"].config["retention.ms"] == "90000"


def test_copies_are_the_brokers_business_unless_told():
    """One broker on a laptop, three in a company, one catalog."""
    cluster = Cluster()
    settings = TopicSettings(replication_factor=3, min_insync_replicas=2)

    apply_topics({"shop.orders": EVENTS}, cluster, settings)

    assert cluster.found["shop.orders"].replication == 3
    assert cluster.found["shop.orders"].config["min.insync.replicas"] == "2"


@pytest.mark.parametrize("partitions", [2, 8])
def test_another_partition_count_is_refused_before_anything_changes(partitions):
    """Keys would move to other partitions, away from their state."""
    cluster = Cluster(Found("shop.orders", partitions, dict(FOREVER)))
    before = copy.deepcopy(cluster.found)

    with pytest.raises(ConfigurationError, match=f"found {partitions} partitions, wanted 4"):
        apply_topics(DECLARED, cluster, SETTINGS)

    assert before == cluster.found
    assert ("shop.orders", Change.REPARTITION) in changes(DECLARED, cluster)


def test_undeclared_topics_are_shown_and_never_touched():
    """Another program's, or one that was renamed: a person decides."""
    cluster = Cluster(Found("other.topic", 1, {"retention.ms": "1"}))

    shown = changes({}, cluster)
    done = apply_topics({}, cluster, SETTINGS)

    assert [("other.topic", Change.UNDECLARED)] == shown
    assert done == []
    assert {"retention.ms": "1"} == cluster.found["other.topic"].config


def test_settings_out_of_sight_are_no_difference():
    """A user who may not describe settings cannot be told that they are wrong."""
    cluster = Cluster(Found("shop.orders", 4), hides_configs=True)

    assert changes({"shop.orders": EVENTS}, cluster) == []


def test_finite_retention_is_refused_on_a_topic_that_a_fold_reads():
    """A rebuild starts at offset 0, which would be gone."""
    short = Topic(name="shop.orders", kind=Kind.EVENTS, partitions=4, retention=timedelta(days=7))
    cluster = Cluster()

    with pytest.raises(ConfigurationError, match=r"shop\.orders: found retention of 7 days"):
        apply_topics({"shop.orders": short}, cluster, SETTINGS, folded={"shop.orders"})

    assert cluster.found == {}


def test_each_service_has_a_quarantine_and_a_decisions_topic():
    """One partition each, kept for ever: recovery reads all of it."""
    declared = declared_topics(Catalog.find(), ["counters"])

    system = [topic for topic in declared.values() if topic.kind is Kind.SYSTEM]

    assert ["counters.quarantine", "counters.decisions"] == [topic.name for topic in system]
    assert all(topic.partitions == 1 and not topic.is_compacted for topic in system)


def test_services_of_the_project_are_known_without_being_installed():
    """A fresh clone has no entry points yet."""
    assert service_targets(Catalog.find(), find_project())["counters"] == (
        "services.counters:SERVICE"
    )


def test_our_services_are_left_out_where_our_schemas_are_not_used(tmp_path):
    """A project with its own events would get topics that nothing ever writes."""
    own = Project(root=tmp_path, services={"likes": "shop.likes:SERVICE"})
    catalog = Catalog("shop", tmp_path, LockFile())

    assert "counters" not in service_targets(catalog, own)
    assert service_targets(catalog, own)["likes"] == "shop.likes:SERVICE"
