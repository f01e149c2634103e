"""Topics on a real broker: made, corrected, never repartitioned; keys go where Java puts them."""

from __future__ import annotations

import secrets

import pytest
from confluent_kafka import Producer

from streams.errors import ConfigurationError
from streams.kafka.admin import KafkaAdmin
from streams.kafka.config import base_config, physical
from streams.settings import TopicSettings
from streams.topics.apply import apply_topics
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics
from streams.topics.diff import Change, differences
from streams.topics.partitioner import partition_of

pytestmark = pytest.mark.kafka

SETTINGS = TopicSettings(replication_factor=-1, min_insync_replicas=-1)
DECLARED = declared_topics(Catalog.find(), ["counters"])


@pytest.fixture
def admin(kafka):
    return KafkaAdmin(kafka)


def test_every_declared_topic_is_made_once_and_found_as_declared(admin):
    """The broker's own answers, not what we asked it for."""
    made = apply_topics(DECLARED, admin, SETTINGS)

    again = apply_topics(DECLARED, admin, SETTINGS)

    configs = admin.topic_configs(["social.photos", "counters.photos"])
    assert {(one.topic, one.change) for one in made} == {(name, Change.CREATE) for name in DECLARED}
    assert again == []
    assert sorted(DECLARED) == admin.names()
    assert admin.topics(["social.relations"])["social.relations"].partitions == 8
    assert configs["social.photos"]["retention.ms"] == "-1"
    assert configs["social.photos"]["cleanup.policy"] == "delete"
    assert configs["counters.photos"]["cleanup.policy"] == "compact"


def test_a_setting_is_corrected_and_the_others_stay(admin):
    """Incremental changes: what an operator set is kept."""
    wanted = {name: DECLARED[name] for name in ("social.photos",)}
    theirs = {"retention.ms": "1000", "max.message.bytes": "2000000"}
    admin.create_topic("social.photos", 4, theirs)

    (done,) = apply_topics(wanted, admin, SETTINGS)

    config = admin.topic_configs(["social.photos"])["social.photos"]
    assert done.change is Change.CONFIGURE
    assert ("-1", "2000000") == (config["retention.ms"], config["max.message.bytes"])
    assert differences(wanted, admin, SETTINGS) == []


def test_a_topic_with_other_partitions_stops_everything(admin):
    """Nothing is made beside it either: half an answer is worse than none."""
    admin.create_topic("social.photos", 2, {})
    admin.create_topic("other.topic", 1, {})

    with pytest.raises(ConfigurationError, match=r"social\.photos: found 2 partitions, wanted 4"):
        apply_topics(DECLARED, admin, SETTINGS)

    assert ["other.topic", "social.photos"] == admin.names()


def test_a_real_producer_puts_every_key_where_we_say(admin, kafka):
    """librdkafka's `murmur2_random` is Java's; the engine holds records against ours."""
    admin.create_topic("keys", 12, {})
    keys = [str(number).encode() for number in range(-50, 300)]
    keys += [b"3:9", "ünïcödé".encode(), *(secrets.token_bytes(size) for size in range(1, 40))]
    landed = {}
    producer = Producer(base_config(kafka) | {"partitioner": "murmur2_random"})

    for key in keys:
        producer.produce(
            physical(kafka, "keys"),
            key=key,
            on_delivery=lambda error, message: landed.update({message.key(): message.partition()}),
        )
    left = producer.flush(30)

    assert left == 0
    assert {key: partition_of(key, 12) for key in keys} == landed
